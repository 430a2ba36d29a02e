"""Outer loop of the linear search: which batch sizes to test, within node and time limits.

Sizes are tested from the surrogate bound downwards; of many candidates, a core of the cheapest is tested
first. From the size of its batch, sizes are tested upwards until one is refuted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.linear import decide
from edgebatch.search.linear.decide import Limits, Rows
from edgebatch.search.linear.relax import FEASIBLE, INFEASIBLE, UNDECIDED

POOL = 4
"""Number of multipliers that are carried from one search to the next."""

CORE_SIZE = 1024
"""Candidates in the smallest core; no core is taken of up to four times as many candidates."""

CORE_NODES = 100
"""Node budget for each size while only the core is searched."""

NO_NODE_LIMIT = int(np.iinfo(np.int64).max)


def largest_batch(
    rows: Rows, node_limit: int | None, stopped: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], int, int]:
    """The largest batch, an upper bound on its size, and the nodes visited.

    Parameters
    ----------
    node_limit
        Most nodes; None for no limit. Relaxations at the root are not counted.
    stopped
        Another thread sets it when the time is up, shape (1,).

    Returns
    -------
    batch, bound, nodes
        Positions in `rows`; no feasible batch has more than `bound` requests.
    """
    search = _Search(node_limit, stopped)
    order, rows = _by_deadline(rows)
    core = _core(rows, search.pool)
    if core.size == order.size:
        batch, bound = search.descend(rows)
        return order[batch], bound, search.nodes
    small, _ = search.descend(take(rows, core), CORE_NODES)
    batch, bound = search.ascend(rows, small.size)
    return order[batch if batch.size else core[small]], max(bound, small.size), search.nodes


class _Search:
    """The state of one search: its multipliers, the nodes visited, and its limits."""

    def __init__(self, node_limit: int | None, stopped: NDArray[np.bool_]) -> None:
        self._node_limit = NO_NODE_LIMIT if node_limit is None else node_limit
        self._nodes, self._stopped = np.zeros(1, np.int64), stopped
        self.pool = np.full((POOL, 4), 0.25)

    @property
    def nodes(self) -> int:
        """Number of nodes visited."""
        return int(self._nodes[0])

    def descend(self, rows: Rows, most_nodes: int = NO_NODE_LIMIT) -> tuple[NDArray[np.int64], int]:
        """Test sizes from the surrogate bound downwards, each with `most_nodes`, until a batch is found."""
        k, undecided = int(decide.surrogate_bound(rows, self.pool[-1])), 0
        while k > 0 and not self._stopped[0]:
            outcome, batch = self._decide(k, rows, most_nodes)
            if outcome == FEASIBLE:
                return batch, max(undecided, k)
            if outcome == UNDECIDED:
                undecided = max(undecided, k)
            k -= 1
        return np.empty(0, np.int64), max(undecided, k)

    def ascend(self, rows: Rows, size: int) -> tuple[NDArray[np.int64], int]:
        """Test sizes upwards from `size` + 1 until one is refuted."""
        k, batch = size, np.empty(0, np.int64)
        while not self._stopped[0]:
            k += 1
            outcome, larger = self._decide(k, rows)
            if outcome == FEASIBLE:
                batch = larger
            if outcome == INFEASIBLE:
                return batch, k - 1
        return batch, _surrogate_bound(rows, self.pool)

    def _decide(self, k: int, rows: Rows, most_nodes: int = NO_NODE_LIMIT) -> tuple[int, NDArray[np.int64]]:
        """Outcome of the test for a batch of `k`, and the batch if it is feasible."""
        last_attempt = min(self._node_limit, self.nodes + most_nodes)
        limits = Limits(self._nodes, last_attempt, self._node_limit, self._stopped)
        chosen = np.empty(rows.deadline_s.size, np.int64)
        outcome = int(decide.decide(k, rows, self.pool, limits, chosen))
        return outcome, chosen[: k if outcome == FEASIBLE else 0]


def take(rows: Rows, index: NDArray[np.int64]) -> Rows:
    """The rows of the candidates `index` alone."""
    return Rows(np.take(rows.cost, index, axis=1), rows.deadline_s[index], rows.constant, rows.per_second)


def _by_deadline(rows: Rows) -> tuple[NDArray[np.int64], Rows]:
    """Positions of the candidates that can be served alone, by falling deadline, and their rows."""
    budget = rows.per_second[:, None] * rows.deadline_s
    budget += rows.constant[:, None]
    order = np.flatnonzero((rows.cost <= budget).all(axis=0))
    order = order[np.argsort(-rows.deadline_s[order])]
    return order, take(rows, order)


def _core(rows: Rows, pool: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions of cheap candidates, several times as many as a batch may have; all if they are few."""
    number = CORE_SIZE
    weight = pool[-1] @ rows.cost
    while 4 * number < weight.size:
        cheapest = np.sort(np.argpartition(weight, number)[:number])
        if number >= 6 * decide.surrogate_bound(take(rows, cheapest), pool[-1]):
            return cheapest
        number *= 2
    return np.arange(weight.size)


def _surrogate_bound(rows: Rows, pool: NDArray[np.float64]) -> int:
    """Least of the bounds by multipliers of the pool and by each row alone."""
    multipliers = np.vstack((pool, np.eye(rows.constant.size)))
    return min(int(decide.surrogate_bound(rows, each)) for each in multipliers)


def compile_search() -> None:
    """Compile the search before its clock starts: that takes seconds and cannot be interrupted."""
    rows = Rows(np.empty((4, 0)), np.empty(0), np.zeros(4), np.zeros(4))
    pool = np.full((POOL, 4), 0.25)
    decide.surrogate_bound(rows, pool[-1])
    limits = Limits(np.zeros(1, np.int64), 0, 0, np.zeros(1, np.bool_))
    decide.decide(1, rows, pool, limits, np.empty(0, np.int64))
