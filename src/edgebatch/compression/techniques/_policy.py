"""Which level of compression each layer gets: errors are least, and every budget is met exactly."""

from __future__ import annotations

from collections.abc import Sequence

Costs = tuple[int, ...]


def best_policy(errors: Sequence[Sequence[float]], costs: Sequence[Costs], budget: Costs) -> list[int] | None:
    """The level of each layer, by dynamic programming over what the layers before have spent; exact.

    Parameters
    ----------
    errors
        Of each layer at each level.
    costs
        Of each level, whole numbers of one or more kinds.
    budget
        What all layers together cost, of each kind.

    Returns
    -------
    list of int or None
        The levels whose errors have the least sum; None if no levels cost the budget.
    """
    spent: dict[Costs, tuple[float, tuple[int, ...]]] = {tuple(0 for _ in budget): (0.0, ())}
    for of_layer in errors:
        after: dict[Costs, tuple[float, tuple[int, ...]]] = {}
        for total, (error, levels) in spent.items():
            for level, cost in enumerate(costs):
                key = tuple(a + b for a, b in zip(total, cost, strict=True))
                if any(a > b for a, b in zip(key, budget, strict=True)):
                    continue
                candidate = (error + of_layer[level], (*levels, level))
                if key not in after or candidate < after[key]:
                    after[key] = candidate
        spent = after
    return list(spent[budget][1]) if budget in spent else None
