"""Surrogate branch and bound: optimal for any lengths, shares and cost model, at thousands of candidates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.system import System
from edgebatch.problem import Instance, Schedule, fits
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_node_limit, check_time_limit
from edgebatch.search.batch_cost import candidates_of, prices_of
from edgebatch.search.boxes import search as boxes
from edgebatch.search.linear import sizes
from edgebatch.search.linear.decide import Rows
from edgebatch.search.loads import loads
from edgebatch.search.weighted import search as weighted

TAKES_WEIGHTS = True

ROUNDING = 1e-6
"""A bound on whole weights is rounded down to a whole number, unless it is no farther below one."""

FALLBACK_REQUESTS = 16
"""Requests that the fallback tries: few enough for some milliseconds."""


def schedule(
    instance: Instance, *, node_limit: int | None = None, time_limit_s: float | None = None
) -> Schedule:
    """Return the feasible batch of most weight; under a limit, the best so far and a proven upper bound.

    Parameters
    ----------
    node_limit
        Most nodes of branch and bound, the root not counted; None for no limit.
    time_limit_s
        Most seconds of the search; None for no limit. Compiling the search, which the first call on a
        machine does, is not counted.

    Notes
    -----
    `edgebatch.search.boxes.search` describes the search and proves that it is exact. If only the deadline of
    a batch makes its costs other than linear, `edgebatch.search.linear` finds the batch in less time. Where
    weights differ, `edgebatch.search.weighted` is the search.
    """
    check_node_limit(node_limit)
    check_time_limit(time_limit_s)
    with _stopped_after(time_limit_s, instance) as stopped:
        candidates = _candidates(instance)
        if candidates.size == 0:
            return Schedule((), upper_bound=0)
        batch, bound, nodes = _search(instance)(instance, candidates, node_limit, stopped)
    selected = tuple(sorted(batch.tolist()))
    weight = instance.weight_of(selected)
    if weight < bound:
        bound = min(bound, _bound_by_one_budget(instance, candidates))
        if not selected:
            selected = _fallback(instance, candidates)
            weight = instance.weight_of(selected)
    bound = max(bound, weight)
    return Schedule(selected, (), None, bound, nodes, not fits(bound, weight), weight)


Search = Callable[
    [Instance, NDArray[np.int64], int | None, NDArray[np.bool_]], tuple[NDArray[np.int64], float, int]
]
"""Of an instance, the requests to search among, a limit of nodes and a flag that stops it: the batch of most
weight, an upper bound, and nodes visited."""


def _search(instance: Instance) -> Search:
    if (instance.weight != instance.weight[:1]).any():
        return _search_weighted
    return _search_linear if _is_linear(instance.system) else _search_boxes


def _candidates(instance: Instance) -> NDArray[np.int64]:
    """Indices of the requests to search among; the linear search drops those that are too dear alone."""
    if _search(instance) is _search_linear:
        loadable = fits(instance.system.resident_bytes, instance.system.edge_node.memory_bytes)
        return np.flatnonzero(instance.accurate() & loadable)
    return np.flatnonzero(instance.servable())


def _is_linear(system: System) -> bool:
    """Whether the costs of a batch of a given deadline are sums over its requests."""
    return system.arithmetic_alone and system.fixed_padding_tokens is not None and not system.bills_longest


def _search_linear(
    instance: Instance, requests: NDArray[np.int64], node_limit: int | None, stopped: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], float, int]:
    """The largest batch where costs are linear."""
    compute_s = instance.system.slots.compute_s
    rows = Rows(
        cost=loads(instance, requests, instance.system.fixed_padding_tokens, compute_s),
        deadline_s=instance.deadline_s[requests],
        constant=np.array([1.0, 1.0, 1.0, 0.0]),
        per_second=np.array([0.0, 0.0, 0.0, 1 / compute_s]),
    )
    batch, bound, nodes = sizes.largest_batch(rows, node_limit, stopped)
    return requests[batch], _weight_of_size(instance, bound), nodes


def _search_boxes(
    instance: Instance, requests: NDArray[np.int64], node_limit: int | None, stopped: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], float, int]:
    """The largest batch for any costs."""
    order, candidates = candidates_of(instance, requests)
    best = np.empty(requests.size, np.int64)
    limits = boxes.Limits(sizes.NO_NODE_LIMIT if node_limit is None else node_limit, stopped)
    size, bound, nodes = map(int, boxes.largest_batch(candidates, best, limits))
    return order[best[:size]], _weight_of_size(instance, bound), nodes


def _weight_of_size(instance: Instance, size: int) -> float:
    """Weight of so many requests, all weights being alike."""
    return size * instance.weight[0].item() if instance.weighted else size


def _search_weighted(
    instance: Instance, requests: NDArray[np.int64], node_limit: int | None, stopped: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], float, int]:
    """The batch of most weight for any weights and costs."""
    order, candidates = candidates_of(instance, requests)
    weight, best = instance.weight[order], np.empty(requests.size, np.int64)
    whole, unit = bool((weight == np.floor(weight)).all()), float(weight.max())
    limits = boxes.Limits(sizes.NO_NODE_LIMIT if node_limit is None else node_limit, stopped)
    # a heavier batch is heavier by 1 where weights are whole numbers
    spare = (1 - ROUNDING) / unit if whole else 0.0
    size, _, bound, nodes = weighted.heaviest_batch(candidates, weight / unit, spare, best, 0, limits)
    bound = float(bound) * unit
    if whole:
        bound = float(np.floor(bound + ROUNDING))
    return order[best[: int(size)]], bound, int(nodes)


@contextmanager
def _stopped_after(time_limit_s: float | None, instance: Instance) -> Iterator[NDArray[np.bool_]]:
    """A flag, shape (1,), that a timer thread sets when the time is up, so that compiled code sees it."""
    stopped = np.zeros(1, np.bool_)
    if time_limit_s is None:
        yield stopped
        return
    of: dict[Search, ModuleType] = {
        _search_linear: sizes,
        _search_boxes: boxes,
        _search_weighted: weighted,
    }
    of[_search(instance)].compile_search()
    timer = threading.Timer(min(time_limit_s, threading.TIMEOUT_MAX), stopped.fill, (True,))
    timer.daemon = True
    timer.start()
    try:
        yield stopped
    finally:
        timer.cancel()


def _fallback(instance: Instance, servable: NDArray[np.int64]) -> tuple[int, ...]:
    """A quick batch, for a search that was stopped before it had one: the requests of least load."""
    total = np.sum([load / load.mean() for load in _loads(instance, servable) if load.any()], axis=0)
    order = np.argsort(np.broadcast_to(total, servable.shape), kind="stable")
    return admit_in_order(instance, servable[order[:FALLBACK_REQUESTS]])


def _bound_by_one_budget(instance: Instance, servable: NDArray[np.int64]) -> float:
    """Upper bound on the weight by each band, and by memory, alone: the heaviest that it has room for."""
    budgets = 1.0, 1.0, prices_of(instance.system).memory_tokens
    loads = zip(_loads(instance, servable), budgets, strict=True)
    size = min(int(fits(np.cumsum(np.sort(load)), budget).sum()) for load, budget in loads)
    if not instance.weighted:
        return size
    return float(np.sort(instance.weight[servable])[::-1][:size].sum())


def _loads(instance: Instance, servable: NDArray[np.int64]) -> tuple[NDArray[np.float64], ...]:
    """Shares of the two bands, and tokens in memory, that requests take at least, each shape (requests,)."""
    tokens = instance.padded(instance.prompt_tokens[servable]) + instance.output_tokens[servable]
    return instance.uplink_share[servable], instance.downlink_share[servable], tokens.astype(np.float64)
