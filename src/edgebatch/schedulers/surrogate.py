"""Surrogate branch and bound: optimal for any lengths, shares and cost, at thousands of candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule, fits
from edgebatch.schedulers._options import check_node_limit, check_time_limit
from edgebatch.search.branch_and_bound import Rows
from edgebatch.search.largest_batch import POOL, Search, take


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
    best = _Best(instance, Search(node_limit, time_limit_s))
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
            best.padded_to(int(lengths[low]), fit)
        elif not best.refuted(int(lengths[low]), fit):
            middle = (low + high) // 2
            ranges += [(low, middle), (middle + 1, high)]
    return Schedule(
        tuple(sorted(best.batch.tolist())),
        upper_bound=max(best.bound, best.batch.size),
        nodes_visited=best.search.nodes,
        node_limit_reached=best.bound > best.batch.size,
    )


class _Best:
    """The best batch of all paddings so far, and its proven bound."""

    def __init__(self, instance: Instance, search: Search) -> None:
        self.instance, self.search = instance, search
        self.batch, self.bound = np.empty(0, np.int64), 0

    def padded_to(self, padded: int, fit: NDArray[np.int64]) -> None:
        """Look for a larger batch among the requests `fit`, padded to `padded`."""
        rows = linear_rows(self.instance, padded, fit)
        if self.instance.system.cost == "flops":
            self._keep(fit, *self.search.largest(rows, self.batch.size, self.search.pool))
            return
        outputs = self.instance.output_tokens[fit]
        for longest in np.unique(outputs):
            short = np.flatnonzero(outputs <= longest)
            self._by_tangents(padded, fit[short], take(rows, short), int(longest))

    def refuted(self, padded: int, fit: NDArray[np.int64]) -> bool:
        """Whether linear costs rule out at once that a larger batch is among `fit`, padded to `padded`."""
        rows = linear_rows(self.instance, padded, fit)
        return self.batch.size > 0 and self.search.refutes(rows, self.batch.size)

    def _keep(self, fit: NDArray[np.int64], batch: NDArray[np.int64], bound: int) -> None:
        self.bound = max(self.bound, bound)
        if batch.size > self.batch.size:
            self.batch = fit[batch]

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
            batch, bound = self.search.largest(rows, self.batch.size, pool)
            batch.sort()
            lengths, counts = np.unique(instance.output_tokens[fit[batch]], return_counts=True)
            flops = system.llm.request_flops(np.array(padded), lengths) @ counts
            time_s = system.compute_time_s(flops, padded, lengths, counts) if batch.size else 0.0
            if fits(time_s, instance.deadline_s[fit[batch]].min(initial=np.inf)):
                return self._keep(fit, batch, bound)
            if batch.tobytes() in met:
                # too slow by less than the tangent can tell
                return self._keep(fit, batch[:0], bound)
            met.add(batch.tobytes())
            at_least = batch.size - np.concatenate(([0], np.cumsum(counts)))
            live = at_least[np.searchsorted(lengths, np.arange(1, longest + 1))]


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
    work_s = system.llm.request_flops(np.array(padded), lengths) * system.seconds_per_flop
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
    flops = system.llm.request_flops(np.array(padded), outputs)
    seconds = flops * system.seconds_per_flop - np.cumsum(np.where(waits, saved_s, 0.0))[outputs - 1]
    compute_s = system.slots.compute_s * (1 + RELATIVE_TOLERANCE)
    return Rows(
        np.vstack((rows.cost, seconds / compute_s)),
        rows.deadline_s,
        np.append(rows.constant, -pace.weights_s * waits.sum() / compute_s),
        np.append(rows.per_second, 1 / system.slots.compute_s),
    )
