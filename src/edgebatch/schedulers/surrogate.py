"""Surrogate branch and bound: optimal for any lengths, shares and cost model, at thousands of candidates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule, fits
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_node_limit, check_time_limit
from edgebatch.search.branch_and_bound import Rows
from edgebatch.search.largest_batch import POOL, Search, take
from edgebatch.search.loads import loads

FALLBACK_REQUESTS = 64
"""Requests that the fallback tries: few enough for some milliseconds."""


def schedule(
    instance: Instance, *, node_limit: int | None = None, time_limit_s: float | None = None
) -> Schedule:
    """Return the largest feasible batch; under a limit, the best batch so far and a proven upper bound.

    Parameters
    ----------
    node_limit
        Most nodes of branch and bound; None for no limit. Relaxations at the root are not counted.
    time_limit_s
        Most seconds of the search; None for no limit. Compiling the search, which the first call on a
        machine does, is not counted.

    Notes
    -----
    With padding to the batch's longest prompt, each prompt length is a problem of its own, among the
    requests that are no longer. A range of lengths is pruned if even its shortest padding refutes a larger
    batch of all requests that its longest admits. Under a roofline, each longest output of the batch is a
    problem of its own as well.
    """
    check_node_limit(node_limit)
    check_time_limit(time_limit_s)
    candidates = _candidates(instance)
    if candidates.size == 0:
        return Schedule((), upper_bound=0)
    with Search(node_limit, time_limit_s) as search:
        best = _Best(instance, search)
        _search_paddings(instance, candidates, best)
    selected = tuple(sorted(best.batch.tolist()))
    if best.bound > len(selected) and search.out_of_time():
        selected = max(selected, _fallback(instance), key=len)
    return Schedule(
        selected,
        upper_bound=max(best.bound, len(selected)),
        nodes_visited=search.nodes,
        node_limit_reached=best.bound > len(selected),
    )


def _fallback(instance: Instance) -> tuple[int, ...]:
    """A quick batch, for a search that was stopped before it had a good one: the requests of least load."""
    servable = np.flatnonzero(instance.servable())
    padded = instance.padded(instance.prompt_tokens[servable])
    total = loads(instance, servable, padded, instance.deadline_s[servable]).sum(axis=0)
    return admit_in_order(instance, servable[np.argsort(total, kind="stable")[:FALLBACK_REQUESTS]])


def _candidates(instance: Instance) -> NDArray[np.int64]:
    """Indices of the requests to search among."""
    system = instance.system
    if system.cost == "flops":
        loadable = fits(system.weight_bytes, system.edge_node.memory_bytes)
        return np.flatnonzero(instance.accurate() & loadable)
    # a tangent has a step for each output token: outputs that cannot be served must not make them many
    return np.flatnonzero(instance.servable())


def _search_paddings(instance: Instance, candidates: NDArray[np.int64], best: _Best) -> None:
    """Search every padded prompt length, by ranges of lengths, the longest first."""
    fixed = instance.system.fixed_padding_tokens
    if fixed is not None:
        best.padded_to(fixed, candidates)
        return
    prompts = instance.prompt_tokens[candidates]
    lengths = np.unique(prompts)
    ranges = [(0, lengths.size - 1, candidates.size)]
    while ranges:
        low, high, bound = ranges.pop()
        if best.search.out_of_time():
            best.leave_open(bound)
            continue
        fit = candidates[prompts <= lengths[high]]
        if low == high:
            best.padded_to(int(lengths[low]), fit)
            continue
        rows = linear_rows(instance, int(lengths[low]), fit)
        if best.batch.size == 0 or not best.search.refutes(rows, best.batch.size):
            middle, bound = (low + high) // 2, best.bound_if_left(rows)
            ranges += [(low, middle, bound), (middle + 1, high, bound)]


class _Best:
    """The best batch of all problems so far, and an upper bound on the batches of all of them."""

    def __init__(self, instance: Instance, search: Search) -> None:
        self.instance, self.search = instance, search
        self.batch, self.bound = np.empty(0, np.int64), 0

    def padded_to(self, padded: int, fit: NDArray[np.int64]) -> None:
        """Look for a larger batch among the requests `fit`, padded to `padded`."""
        rows = linear_rows(self.instance, padded, fit)
        if self.instance.system.cost == "flops":
            self._keep(fit, *self.search.largest_batch(rows, self.batch.size, self.search.pool))
            return
        bound = self.bound_if_left(rows)
        outputs = self.instance.output_tokens[fit]
        for longest in np.unique(outputs):
            if self.search.out_of_time():
                self.leave_open(bound)
                return
            short = np.flatnonzero(outputs <= longest)
            self._by_tangents(padded, fit[short], take(rows, short), int(longest))

    def bound_if_left(self, rows: Rows) -> int:
        """Upper bound on the batches of `rows`, to fall back on when the time is up.

        It costs a pass or two, so that without a time limit it is only the number of candidates.
        """
        return self.search.size_bound(rows) if self.search.time_limit_s is not None else rows.deadline_s.size

    def leave_open(self, bound: int) -> None:
        """Leave a problem whose batches have at most `bound` requests."""
        self.bound = max(self.bound, bound)

    def _keep(self, fit: NDArray[np.int64], batch: NDArray[np.int64], bound: int) -> None:
        self.leave_open(bound)
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
            batch, bound = self.search.largest_batch(rows, self.batch.size, pool)
            batch.sort()
            lengths, counts = np.unique(instance.output_tokens[fit[batch]], return_counts=True)
            time_s = system.batch_time_s(padded, lengths, counts) if batch.size else 0.0
            if fits(time_s, instance.deadline_s[fit[batch]].min(initial=np.inf)):
                return self._keep(fit, batch, bound)
            # the same batch again is too slow by less than a tangent can tell
            if batch.tobytes() in met or self.search.out_of_time():
                return self.leave_open(bound)
            met.add(batch.tobytes())
            at_least = batch.size - np.concatenate(([0], np.cumsum(counts)))
            live = at_least[np.searchsorted(lengths, np.arange(1, longest + 1))]


def linear_rows(instance: Instance, padded: int, fit: NDArray[np.int64]) -> Rows:
    """The four budgets of the requests `fit` padded to `padded`, as rows of the search."""
    compute_s = instance.system.slots.compute_s
    return Rows(
        cost=loads(instance, fit, padded, compute_s),
        deadline_s=instance.deadline_s[fit],
        constant=np.array([1.0, 1.0, 1.0, 0.0]),
        per_second=np.array([0.0, 0.0, 0.0, 1 / compute_s]),
    )


def with_tangent(
    instance: Instance, padded: int, fit: NDArray[np.int64], rows: Rows, live: NDArray[np.float64]
) -> Rows:
    """Add to `rows` the tangent of the compute time at a batch with `live` requests in each step.

    In a step where that batch waits for memory, the tangent counts the time to read the weights, and for
    each request the time to read its KV cache. In any other step it counts arithmetic alone. Neither
    exceeds the compute time of the roofline.
    """
    system, pace = instance.system, instance.system.pace
    outputs = instance.output_tokens[fit]
    saved_s = pace.token_s + (padded + np.arange(live.size)) * pace.context_s
    saved_s[0] = system.first_s(padded)
    waits = pace.decode_reads.dense_s > live * saved_s
    flops = system.llm.request_flops(np.array(padded), outputs)
    seconds = flops * system.seconds_per_flop - np.cumsum(np.where(waits, saved_s, 0.0))[outputs - 1]
    compute_s = system.slots.compute_s * (1 + RELATIVE_TOLERANCE)
    return Rows(
        np.vstack((rows.cost, seconds / compute_s)),
        rows.deadline_s,
        np.append(rows.constant, -pace.decode_reads.dense_s * waits.sum() / compute_s),
        np.append(rows.per_second, 1 / system.slots.compute_s),
    )
