"""Whether the exact schedulers agree on an instance: our searches, and solvers that nobody here wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from edgebatch import Instance, check, schedulers, solve


class Exact(NamedTuple):
    """A scheduler whose schedules are optimal; whether it takes experts, and how many requests."""

    name: str
    options: Mapping[str, object] = {}
    experts: bool = True
    most_requests: int = 1000

    def __str__(self) -> str:
        return " ".join([self.name, *map(str, self.options.values())])

    def takes(self, instance: Instance) -> bool:
        knows = self.experts or instance.system.llm.experts == 1
        return knows and instance.size <= self.most_requests


EXACT = (
    Exact("dftsp"),
    Exact("surrogate"),
    Exact("milp", {"deadlines": "thresholds"}, experts=False),
    Exact("milp", {"deadlines": "big_m"}, experts=False),
    Exact("cp_sat", experts=False),
    Exact("enumeration", most_requests=13),
)


def agreed_size(instance: Instance, schedulers: tuple[Exact, ...] = EXACT) -> int:
    """The optimal size that all schedulers which can take the instance prove, each by a feasible schedule."""
    sizes = {}
    for exact in schedulers:
        if exact.takes(instance):
            schedule = solve(instance, exact.name, **exact.options)
            check(instance, schedule)
            assert schedule.optimal, f"{exact} proves no more than {schedule.upper_bound}"
            sizes[str(exact)] = schedule.size
    assert len(set(sizes.values())) == 1, f"optimal sizes differ: {sizes}"
    return next(iter(sizes.values()))


def agreed_weight(instance: Instance) -> float:
    """The largest weight that all exact schedulers which take weights prove, each by a feasible schedule."""
    weights = {}
    for exact in EXACT:
        if exact.takes(instance) and schedulers.takes_weights(exact.name):
            schedule = solve(instance, exact.name, **exact.options)
            check(instance, schedule)
            assert schedule.optimal, f"{exact} proves no more than {schedule.upper_bound}"
            weights[str(exact)] = schedule.weight
    least, most = min(weights.values()), max(weights.values())
    assert len(weights) > 1
    assert most <= least * (1 + 1e-9), f"largest weights differ: {weights}"
    return most
