"""The largest batch under linear budgets: which sizes `surrogate` decides, of which candidates, how long.

The size is sought from the surrogate bound downwards, of many candidates first in a sample of the
cheapest; from what the sample gives it rises until a size is refuted.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from edgebatch.search import branch_and_bound as surrogate
from edgebatch.search.branch_and_bound import FOUND, OPEN, REFUTED, Rows

POOL = 4
"""Multipliers that are carried from one search to the next."""

SAMPLE = 1024
"""Candidates from which the size is learnt first; with four times as many or fewer, all are looked at."""

SAMPLE_NODES = 100
"""Nodes that a size is worth while only the sample is looked at."""

NODE_S = 5e-5
"""About how long a node takes: a time limit is looked at between runs of as many nodes as it leaves."""


class Search:
    """What one search carries along: its multipliers, and what is left of its limits.

    Parameters
    ----------
    node_limit, time_limit_s
        Most nodes and most seconds of branch and bound; None for no limit. The time is kept roughly.
    """

    def __init__(self, node_limit: int | None = None, time_limit_s: float | None = None) -> None:
        self.node_limit, self.nodes = node_limit, 0
        self.end_s = None if time_limit_s is None else time.perf_counter() + time_limit_s
        self.pool = np.full((POOL, 4), 0.25)

    def largest(self, rows: Rows, size: int, pool: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
        """The largest batch of more than `size`, as positions in `rows`, and a proven bound.

        Parameters
        ----------
        pool
            Multipliers to begin with, the best last, shape (kept, rows); changed in place.
        """
        order, rows = _by_deadline(rows)
        batch, bound, k, chosen = order[:0], 0, size, np.empty_like(order)
        if k == 0:
            few = _sample(rows, pool)
            whole = few.size == order.size
            part = rows if whole else take(rows, few)
            k = surrogate.largest(part, pool[-1])
            while k > 0:
                most = self._left() if whole else min(SAMPLE_NODES, self._left())
                outcome = self._decide(k, part, pool, most, chosen)
                if outcome == FOUND:
                    batch = order[few[chosen[:k]]]
                    break
                bound = max(bound, k if outcome == OPEN else 0)
                k -= 1
            if whole:
                return batch, max(bound, k)
        while True:
            k += 1
            outcome = self._decide(k, rows, pool, self._left(), chosen)
            if outcome == FOUND:
                batch = order[chosen[:k]]
            if outcome == REFUTED:
                return batch, k - 1

    def refutes(self, rows: Rows, size: int) -> bool:
        """Whether it is clear without any branching that no batch of more than `size` is in `rows`."""
        order, rows = _by_deadline(rows)
        return self._decide(size + 1, rows, self.pool, 0, np.empty_like(order)) == REFUTED

    def _left(self) -> int:
        """Nodes that may still be visited."""
        left = int(np.iinfo(np.int64).max) if self.node_limit is None else self.node_limit - self.nodes
        if self.end_s is not None:
            left = min(left, int((self.end_s - time.perf_counter()) / NODE_S))
        return max(0, left)

    def _decide(
        self, k: int, rows: Rows, pool: NDArray[np.float64], limit: int, chosen: NDArray[np.int64]
    ) -> int:
        outcome, nodes = surrogate.decide(k, rows, pool, limit, chosen)
        self.nodes += nodes
        return int(outcome)


def take(rows: Rows, index: NDArray[np.int64]) -> Rows:
    """The candidates `index` alone."""
    return Rows(np.take(rows.cost, index, axis=1), rows.deadline_s[index], rows.constant, rows.per_second)


def _by_deadline(rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    """The candidates that can be served alone, by falling deadline: their positions, and their rows."""
    budget = rows.per_second[:, None] * rows.deadline_s
    budget += rows.constant[:, None]
    order = np.flatnonzero((rows.cost <= budget).all(axis=0))
    order = order[np.argsort(-rows.deadline_s[order])]
    return order, take(rows, order)


def _sample(rows: Rows, pool: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions of cheap candidates, several times as many as a batch may have; all if they are few."""
    number = SAMPLE
    weight = pool[-1] @ rows.cost
    while 4 * number < weight.size:
        few = np.sort(np.argpartition(weight, number)[:number])
        if number >= 6 * surrogate.largest(take(rows, few), pool[-1]):
            return few
        number *= 2
    return np.arange(weight.size)
