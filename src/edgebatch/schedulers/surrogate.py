"""Surrogate branch and bound: optimal for any lengths and shares, at thousands of candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch import surrogate
from edgebatch.cost import batch_cost
from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule
from edgebatch.surrogate import FOUND, OPEN, REFUTED, Rows

POOL = 4
"""Multipliers that are carried from one search to the next."""

SAMPLE = 1024
"""Candidates in the smallest sample; with at most four times as many, all are looked at."""

SAMPLE_NODES = 100
"""Nodes that a size is worth while only a sample of the candidates is looked at."""


def schedule(instance: Instance, *, node_limit: int | None = None) -> Schedule:
    """The largest feasible batch, or with a limit the largest that was found, and a proven bound.

    Parameters
    ----------
    node_limit
        Most nodes of branch and bound; None searches to the end.
    """
    candidates = np.flatnonzero(instance.accurate())
    if candidates.size == 0:
        return Schedule((), upper_bound=0)
    fixed = instance.system.fixed_padding_tokens
    prompts = instance.prompt_tokens[candidates]
    limit = np.iinfo(np.int64).max if node_limit is None else node_limit
    upper, nodes, best = 0, 0, np.empty(0, np.int64)
    pool = np.full((POOL, 4), 0.25)
    for padded in np.unique(prompts)[::-1] if fixed is None else (fixed,):
        fit = candidates if fixed is not None else candidates[prompts <= padded]
        batch, bound, visited = search(rows_of(instance, fit, int(padded)), best.size, pool, limit - nodes)
        nodes += visited
        upper = max(upper, bound)
        if batch.size > best.size:
            best = fit[batch]
    return Schedule(
        tuple(sorted(best.tolist())),
        upper_bound=max(upper, best.size),
        nodes_visited=nodes,
        node_limit_reached=upper > best.size,
    )


def rows_of(instance: Instance, candidates: NDArray[np.int64], padded: int) -> Rows:
    """Costs and budgets of `candidates` padded to `padded` prompt tokens."""
    system = instance.system
    outputs = instance.output_tokens[candidates]
    price = batch_cost(system, padded, np.arange(1, int(outputs.max()) + 1))
    tolerance = 1 + RELATIVE_TOLERANCE
    memory = system.edge_node.memory_bytes * tolerance - price.weight_bytes
    if memory <= 0:
        memory = price.request_bytes[0] / 2
    compute_s = system.slots.compute_s
    cost = np.empty((4, candidates.size))
    cost[0] = instance.uplink_share[candidates]
    cost[1] = instance.downlink_share[candidates]
    cost[2] = (price.request_bytes / memory)[outputs - 1]
    cost[3] = (price.request_flops * (price.seconds_per_flop / compute_s))[outputs - 1]
    constant = np.array([tolerance, tolerance, 1.0, 0.0])
    per_second = np.array([0.0, 0.0, 0.0, tolerance / compute_s])
    return Rows(cost, instance.deadline_s[candidates], constant, per_second)


def search(
    rows: Rows, lower: int, pool: NDArray[np.float64], limit: int
) -> tuple[NDArray[np.int64], int, int]:
    """The largest batch of more than `lower` requests, if there is one; candidates in any order.

    A sample of cheap requests is solved first, from its surrogate bound downwards. Its size is a lower
    bound, and its multipliers tell which requests matter at all for the next size: only those are ever
    sorted. What is in no batch of k is in no larger one, so that sizes rise from there until one is
    refuted.

    Returns
    -------
    batch, upper, nodes
        Positions in `rows`, none if there is no such batch; a proven bound; nodes of branch and bound.
    """
    weight = pool[-1] @ rows.cost
    alone = rows.per_second[:, None] * rows.deadline_s
    alone += rows.constant[:, None]
    weight[(rows.cost > alone).any(axis=0)] = np.inf
    number, sample = _sample(rows, weight, lower, pool)
    batch, nodes, upper, k = np.empty(0, np.int64), 0, 0, 0
    part, chosen = _subset(rows, sample), np.empty(sample.size, np.int64)
    whole = number == weight.size
    if lower == 0:
        k = surrogate.largest(part, pool[-1])
    while k > 0:
        outcome, visited = surrogate.decide(k, part, pool, limit - nodes if whole else SAMPLE_NODES, chosen)
        nodes += visited
        if outcome == FOUND:
            batch = sample[chosen[:k]]
            break
        if outcome == OPEN:
            upper = max(upper, k)
        k = min(k - 1, surrogate.largest(part, pool[-1]))
    if whole and lower == 0:
        return batch, max(upper, k), nodes
    k = max(lower, k) + 1
    few = sample if whole else _relevant(k, rows, weight < np.inf, part, pool)
    part, chosen = _subset(rows, few), np.empty(few.size, np.int64)
    while True:
        outcome, visited = surrogate.decide(k, part, pool, max(0, limit - nodes), chosen)
        nodes += visited
        if outcome == FOUND:
            batch = few[chosen[:k]]
        if outcome == REFUTED:
            return batch, k - 1, nodes
        k += 1


def _subset(rows: Rows, index: NDArray[np.int64]) -> Rows:
    return Rows(np.take(rows.cost, index, axis=1), rows.deadline_s[index], rows.constant, rows.per_second)


def _by_deadline(rows: Rows, index: NDArray[np.int64]) -> NDArray[np.int64]:
    return index[np.argsort(-rows.deadline_s[index])]


def _sample(
    rows: Rows, weight: NDArray[np.float64], lower: int, pool: NDArray[np.float64]
) -> tuple[int, NDArray[np.int64]]:
    """Cheap candidates, several times as many as a batch may have, by falling deadline; and how many."""
    number = SAMPLE
    while 4 * number < weight.size:
        cheap = np.argpartition(weight, number)[:number]
        sample = _by_deadline(rows, cheap[weight[cheap] < np.inf])
        if number >= 6 * max(lower, surrogate.largest(_subset(rows, sample), pool[-1])):
            return number, sample
        number *= 2
    return weight.size, _by_deadline(rows, np.flatnonzero(weight < np.inf))


def _relevant(
    k: int, rows: Rows, servable: NDArray[np.bool_], sample: Rows, pool: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The candidates that can be in a batch of `k`, by falling deadline.

    What the sample says of them holds for all if it still holds once they are looked at.
    """
    longest_s = float(rows.deadline_s.max())
    limits = [surrogate.dearest(k, sample, multipliers, longest_s) for multipliers in pool]
    numbers = [np.count_nonzero(m @ sample.cost <= limit) for m, limit in zip(pool, limits, strict=True)]
    best = int(np.argmin(numbers))
    weight = pool[best] @ rows.cost
    weight[~servable] = np.inf
    limit = limits[best]
    while True:
        few = _by_deadline(rows, np.flatnonzero(weight <= limit))
        needed = surrogate.dearest(k, _subset(rows, few), pool[best], longest_s)
        if needed <= limit:
            return few
        limit = needed * 1.01
