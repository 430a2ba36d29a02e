"""Surrogate branch and bound: optimal for any lengths, shares and cost, at thousands of candidates."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from edgebatch import surrogate
from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule, fits
from edgebatch.schedulers._options import check_node_limit, check_time_limit
from edgebatch.surrogate import FOUND, OPEN, REFUTED, Rows

POOL = 4
"""Multipliers that are carried from one search to the next."""

SAMPLE = 1024
"""Candidates from which the size is learnt first; with four times as many or fewer, all are looked at."""

SAMPLE_NODES = 100
"""Nodes that a size is worth while only the sample is looked at."""

NODE_S = 5e-5
"""About how long a node takes: a time limit is looked at between runs of as many nodes as it leaves."""


def schedule(
    instance: Instance, *, node_limit: int | None = None, time_limit_s: float | None = None
) -> Schedule:
    """The largest feasible batch; with a limit, the largest that was found, and a proven bound.

    Parameters
    ----------
    node_limit
        Most nodes of branch and bound; None for no limit.
    time_limit_s
        Most seconds of branch and bound, kept roughly; None for no limit.

    Notes
    -----
    With padding to the batch's longest prompt, each prompt length is a problem of its own, among the
    requests that are no longer. A range of lengths is put aside at once if its shortest padding refutes a
    larger batch of all that its longest admits. So far as the roofline's cost is not linear, the
    batch's longest output is a choice in the same way.
    """
    check_node_limit(node_limit)
    check_time_limit(time_limit_s)
    search = _Search(instance, node_limit, time_limit_s)
    system = instance.system
    if system.cost == "flops":
        loadable = fits(system.weight_bytes, system.edge_node.memory_bytes)
        candidates = np.flatnonzero(instance.accurate() & loadable)
    else:
        # tangents look at every step: outputs that cannot be served must not make them many
        candidates = np.flatnonzero(instance.servable())
    fixed = system.fixed_padding_tokens
    prompts = instance.prompt_tokens[candidates]
    lengths = np.unique(prompts) if fixed is None else np.full(min(1, candidates.size), fixed)
    ranges = [(0, lengths.size - 1)] if lengths.size else []
    while ranges:
        low, high = ranges.pop()
        fit = candidates if fixed is not None else candidates[prompts <= lengths[high]]
        if low == high:
            search.padded_to(int(lengths[low]), fit)
        elif not search.refutes(int(lengths[low]), fit):
            middle = (low + high) // 2
            ranges += [(low, middle), (middle + 1, high)]
    return Schedule(
        tuple(sorted(search.best.tolist())),
        upper_bound=max(search.upper, search.best.size),
        nodes_visited=search.nodes,
        node_limit_reached=search.upper > search.best.size,
    )


class _Search:
    """The best batch so far, its proven bound, and what is left of the limits."""

    def __init__(self, instance: Instance, node_limit: int | None, time_limit_s: float | None) -> None:
        self.instance, self.node_limit = instance, node_limit
        self.end_s = None if time_limit_s is None else time.perf_counter() + time_limit_s
        self.best = np.empty(0, np.int64)
        self.upper, self.nodes = 0, 0
        self.pool = np.full((POOL, 4), 0.25)

    def left(self) -> int:
        """Nodes that may still be visited."""
        left = int(np.iinfo(np.int64).max) if self.node_limit is None else self.node_limit - self.nodes
        if self.end_s is not None:
            left = min(left, int((self.end_s - time.perf_counter()) / NODE_S))
        return max(0, left)

    def padded_to(self, padded: int, fit: NDArray[np.int64]) -> None:
        """Look for a larger batch among the requests `fit`, padded to `padded`."""
        rows = linear_rows(self.instance, padded, fit)
        if self.instance.system.cost == "flops":
            self._keep(fit, *self._largest(rows, self.pool))
            return
        outputs = self.instance.output_tokens[fit]
        for longest in np.unique(outputs):
            short = np.flatnonzero(outputs <= longest)
            self._by_tangents(padded, fit[short], take(rows, short), int(longest))

    def refutes(self, padded: int, fit: NDArray[np.int64]) -> bool:
        """Whether linear costs rule out at once that a larger batch is among `fit`, padded to `padded`."""
        if self.best.size == 0:
            return False
        order, rows = by_deadline(linear_rows(self.instance, padded, fit))
        return self._decide(self.best.size + 1, rows, self.pool, 0, np.empty_like(order)) == REFUTED

    def _keep(self, fit: NDArray[np.int64], batch: NDArray[np.int64], bound: int) -> None:
        self.upper = max(self.upper, bound)
        if batch.size > self.best.size:
            self.best = fit[batch]

    def _by_tangents(self, padded: int, fit: NDArray[np.int64], rows: Rows, longest: int) -> None:
        """Look for a larger batch as if its longest output were `longest`.

        Then the compute time is convex in the counts: its tangent at any batch is a linear budget that
        all feasible batches keep. A batch that is too slow is cut off by the tangent there (Kelley).
        """
        instance, system = self.instance, self.instance.system
        live = np.zeros(longest)
        pool = np.full((POOL, 4), 0.25)
        met: set[bytes] = set()
        while True:
            rows = with_tangent(instance, padded, fit, rows, live)
            pool = np.hstack((pool, pool.mean(axis=1, keepdims=True)))
            batch, bound = self._largest(rows, pool)
            batch.sort()
            lengths, counts = np.unique(instance.output_tokens[fit[batch]], return_counts=True)
            flops = system.llm.request_flops(np.full_like(lengths, padded), lengths) @ counts
            time_s = system.compute_time_s(flops, padded, lengths, counts) if batch.size else 0.0
            if fits(time_s, instance.deadline_s[fit[batch]].min(initial=np.inf)):
                return self._keep(fit, batch, bound)
            if batch.tobytes() in met:
                # too slow by less than the tangent can tell
                return self._keep(fit, batch[:0], bound)
            met.add(batch.tobytes())
            at_least = batch.size - np.concatenate(([0], np.cumsum(counts)))
            live = at_least[np.searchsorted(lengths, np.arange(1, longest + 1))]

    def _largest(self, rows: Rows, pool: NDArray[np.float64]) -> tuple[NDArray[np.int64], int]:
        """The largest batch that is larger than the best, as positions in `rows`, and a proven bound.

        The size is sought from the surrogate bound downwards, of many candidates first in a sample of the
        cheapest; from what the sample gives it rises until a size is refuted.
        """
        order, rows = by_deadline(rows)
        batch, bound, k = order[:0], 0, self.best.size
        chosen = np.empty_like(order)
        if k == 0:
            few = _sample(rows, pool)
            whole = few.size == order.size
            part = rows if whole else take(rows, few)
            k = surrogate.largest(part, pool[-1])
            while k > 0:
                outcome = self._decide(k, part, pool, self.left() if whole else SAMPLE_NODES, chosen)
                if outcome == FOUND:
                    batch = order[few[chosen[:k]]]
                    break
                bound = max(bound, k if outcome == OPEN else 0)
                k -= 1
            if whole:
                return batch, max(bound, k)
        while True:
            k += 1
            outcome = self._decide(k, rows, pool, self.left(), chosen)
            if outcome == FOUND:
                batch = order[chosen[:k]]
            if outcome == REFUTED:
                return batch, k - 1

    def _decide(
        self, k: int, rows: Rows, pool: NDArray[np.float64], limit: int, chosen: NDArray[np.int64]
    ) -> int:
        outcome, nodes = surrogate.decide(k, rows, pool, limit, chosen)
        self.nodes += nodes
        return int(outcome)


def linear_rows(instance: Instance, padded: int, fit: NDArray[np.int64]) -> Rows:
    """Shares, memory and arithmetic of the requests `fit` padded to `padded`, each over its budget."""
    system, slack = instance.system, 1 + RELATIVE_TOLERANCE
    outputs = instance.output_tokens[fit]
    longest = int(outputs.max())
    # few lengths are priced once each, not once a request
    once = longest < outputs.size
    lengths, place = (np.arange(1, longest + 1), outputs - 1) if once else (outputs, np.arange(outputs.size))
    # weights that nearly fill the memory leave little but rounding: a hair more, to lose no exact fit
    memory_bytes = system.edge_node.memory_bytes * (slack + 1e-15) - system.weight_bytes
    kv_bytes = system.kv_bytes(padded, lengths)
    work_s = system.llm.request_flops(np.full_like(lengths, padded), lengths) * system.seconds_per_flop
    compute_s = system.slots.compute_s * slack
    cost = np.empty((4, fit.size))
    np.divide(instance.uplink_share[fit], slack, out=cost[0])
    np.divide(instance.downlink_share[fit], slack, out=cost[1])
    # no memory left holds what costs nothing
    cost[2] = (kv_bytes / memory_bytes if memory_bytes > 0 else np.where(kv_bytes > 0, np.inf, 0.0))[place]
    cost[3] = (work_s / compute_s)[place]
    constant = np.array([1.0, 1.0, 1.0, 0.0])
    per_second = np.array([0.0, 0.0, 0.0, 1 / system.slots.compute_s])
    return Rows(cost, instance.deadline_s[fit], constant, per_second)


def with_tangent(
    instance: Instance, padded: int, fit: NDArray[np.int64], rows: Rows, live: NDArray[np.float64]
) -> Rows:
    """`rows` and the tangent of the compute time at a batch with `live` requests in each step.

    A step in which that batch waits for memory costs the time to read the weights, and each request its
    part of the KV cache; any other step costs arithmetic alone. Both are never more than the truth.
    """
    system, pace = instance.system, instance.system.pace
    outputs = instance.output_tokens[fit]
    saved_s = pace.token_s + (padded + np.arange(live.size)) * pace.context_s
    saved_s[0] = system.first_s(padded)
    waits = pace.weights_s > live * saved_s
    flops = system.llm.request_flops(np.full_like(outputs, padded), outputs)
    seconds = flops * system.seconds_per_flop - np.cumsum(np.where(waits, saved_s, 0.0))[outputs - 1]
    compute_s = system.slots.compute_s * (1 + RELATIVE_TOLERANCE)
    return Rows(
        np.vstack((rows.cost, seconds / compute_s)),
        rows.deadline_s,
        np.append(rows.constant, -pace.weights_s * waits.sum() / compute_s),
        np.append(rows.per_second, 1 / system.slots.compute_s),
    )


def take(rows: Rows, index: NDArray[np.int64]) -> Rows:
    """The candidates `index` alone."""
    return Rows(np.take(rows.cost, index, axis=1), rows.deadline_s[index], rows.constant, rows.per_second)


def by_deadline(rows: Rows) -> tuple[NDArray[np.int64], Rows]:
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
