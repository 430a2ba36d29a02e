"""Outer loop of surrogate branch and bound: which batch sizes to test, within node and time limits.

Sizes are tested from the surrogate bound downwards; of many candidates, a core of the cheapest is tested
first. From the size of its batch, sizes are tested upwards until one is refuted.
"""

from __future__ import annotations

import threading
import time
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgebatch.search import branch_and_bound
from edgebatch.search.branch_and_bound import FEASIBLE, INFEASIBLE, UNDECIDED, Limits, Rows

POOL = 4
"""Number of multipliers that are carried from one search to the next."""

CORE_SIZE = 1024
"""Candidates in the smallest core; no core is taken of up to four times as many candidates."""

CORE_NODES = 100
"""Node budget for each size while only the core is searched."""

NO_NODE_LIMIT = int(np.iinfo(np.int64).max)


class Search:
    """The state of one search: its multipliers, the nodes visited, and its limits.

    A context manager: the time limit runs inside the ``with`` block. A timer thread then tells the compiled
    search to stop, so that the limit holds however long a node takes.

    Parameters
    ----------
    node_limit, time_limit_s
        Most nodes and most seconds of branch and bound; None for no limit.
    """

    def __init__(self, node_limit: int | None = None, time_limit_s: float | None = None) -> None:
        self.time_limit_s, self._end_s = time_limit_s, np.inf
        self._node_limit = NO_NODE_LIMIT if node_limit is None else node_limit
        self._nodes, self._stopped = np.zeros(1, np.int64), np.zeros(1, np.bool_)
        self._timer: threading.Timer | None = None
        self.pool = np.full((POOL, 4), 0.25)

    def __enter__(self) -> Self:
        if self.time_limit_s is not None:
            _compile()
            self._timer = threading.Timer(min(self.time_limit_s, threading.TIMEOUT_MAX), self._stop)
            self._timer.daemon = True
            self._end_s = time.perf_counter() + self.time_limit_s
            self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _stop(self) -> None:
        self._stopped[0] = True

    @property
    def nodes(self) -> int:
        """Number of nodes visited."""
        return int(self._nodes[0])

    def out_of_time(self) -> bool:
        """Whether the time limit is reached."""
        return bool(self._stopped[0]) or time.perf_counter() >= self._end_s

    def largest_batch(
        self, rows: Rows, size: int, pool: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], int]:
        """The largest batch of more than `size` requests, and an upper bound on its size.

        Parameters
        ----------
        pool
            Multipliers to begin with, the best last, shape (kept, rows); changed in place.

        Returns
        -------
        batch, bound
            Positions in `rows`, empty if no larger batch was found; no feasible batch of more than `size`
            requests has more than `bound`.
        """
        order, rows = _by_deadline(rows)
        if size > 0:
            batch, bound = self._ascend(rows, size, pool)
            return order[batch], bound
        core = _core(rows, pool)
        if core.size == order.size:
            batch, bound = self._descend_to_proof(rows, pool)
            return order[batch], bound
        small, _ = self._descend(take(rows, core), pool, CORE_NODES)
        batch, bound = self._ascend(rows, small.size, pool)
        return order[batch if batch.size else core[small]], bound

    def refutes(self, rows: Rows, size: int) -> bool:
        """Whether it is clear without any branching that no batch of more than `size` is in `rows`."""
        _, rows = _by_deadline(rows)
        return self._decide(size + 1, rows, self.pool, most_nodes=0)[0] == INFEASIBLE

    def size_bound(self, rows: Rows) -> int:
        """Upper bound on the size of a batch, by the multipliers at hand and by each budget alone."""
        _, rows = _by_deadline(rows)
        return _surrogate_bound(rows, self.pool)

    def _descend_to_proof(self, rows: Rows, pool: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
        """Test sizes downwards; under a time limit, begin with a batch to fall back on."""
        fallback = np.empty(0, np.int64)
        if self.time_limit_s is not None:
            # with multipliers of its own, so that a limit that is not reached changes nothing
            fallback, _ = self._descend(rows, pool.copy(), most_nodes=0)
        batch, bound = self._descend(rows, pool)
        return (batch if batch.size else fallback), bound

    def _descend(
        self, rows: Rows, pool: NDArray[np.float64], most_nodes: int = NO_NODE_LIMIT
    ) -> tuple[NDArray[np.int64], int]:
        """Test sizes from the surrogate bound downwards, each with `most_nodes`, until a batch is found."""
        k, undecided = int(branch_and_bound.surrogate_bound(rows, pool[-1])), 0
        while k > 0 and not self.out_of_time():
            outcome, batch = self._decide(k, rows, pool, most_nodes)
            if outcome == FEASIBLE:
                return batch, max(undecided, k)
            if outcome == UNDECIDED:
                undecided = max(undecided, k)
            k -= 1
        return np.empty(0, np.int64), max(undecided, k)

    def _ascend(self, rows: Rows, size: int, pool: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
        """Test sizes upwards from `size` + 1 until one is refuted."""
        k, batch = size, np.empty(0, np.int64)
        while not self.out_of_time():
            k += 1
            outcome, larger = self._decide(k, rows, pool)
            if outcome == FEASIBLE:
                batch = larger
            if outcome == INFEASIBLE:
                return batch, k - 1
        return batch, _surrogate_bound(rows, pool)

    def _decide(
        self, k: int, rows: Rows, pool: NDArray[np.float64], most_nodes: int = NO_NODE_LIMIT
    ) -> tuple[int, NDArray[np.int64]]:
        """Outcome of the test for a batch of `k`, and the batch if it is feasible."""
        last_attempt = min(self._node_limit, self.nodes + most_nodes)
        limits = Limits(self._nodes, last_attempt, self._node_limit, self._stopped)
        chosen = np.empty(rows.deadline_s.size, np.int64)
        outcome = int(branch_and_bound.decide(k, rows, pool, limits, chosen))
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
        if number >= 6 * branch_and_bound.surrogate_bound(take(rows, cheapest), pool[-1]):
            return cheapest
        number *= 2
    return np.arange(weight.size)


def _surrogate_bound(rows: Rows, pool: NDArray[np.float64]) -> int:
    """Least of the bounds by multipliers of the pool and by each row alone."""
    multipliers = np.vstack((pool, np.eye(rows.constant.size)))
    return min(int(branch_and_bound.surrogate_bound(rows, each)) for each in multipliers)


def _compile() -> None:
    """Compile the search before its clock starts: that takes seconds and cannot be interrupted."""
    rows = Rows(np.empty((4, 0)), np.empty(0), np.zeros(4), np.zeros(4))
    pool = np.full((POOL, 4), 0.25)
    branch_and_bound.surrogate_bound(rows, pool[-1])
    limits = Limits(np.zeros(1, np.int64), 0, 0, np.zeros(1, np.bool_))
    branch_and_bound.decide(1, rows, pool, limits, np.empty(0, np.int64))
