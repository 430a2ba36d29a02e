"""Surrogate branch and bound, compiled: decide whether k requests fit together within linear budgets.

Every budget is a row: the costs of a batch in that row must not exceed a constant plus a rate times the
batch's deadline. Multipliers >= 0 add the rows up to one surrogate budget, which every feasible batch
keeps. So k requests do not fit if the k of smallest surrogate cost exceed it. Good multipliers refute
nearly all deadlines at once, and a small tree search decides the others.

Candidates stand in order of falling deadline wherever a function speaks of the tightest request: a batch
whose tightest request is the d-th takes its others from those before.

The functions are few and long because each function more costs compile time, at every level that calls it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.heap import rise, sink
from edgebatch.search.jit import compiled
from edgebatch.search.linear.relax import (
    FEASIBLE,
    INFEASIBLE,
    MARGIN,
    UNDECIDED,
    Choice,
    cheapest,
    columns,
    combine,
    relax,
)

RULED_OUT = -1
"""Stands in place of the number of attempts for a request that cannot be a batch's tightest."""

MAX_DEPTH = 400
"""Levels of branching: each takes about 1 kB of a stack that may have 512 kB."""

FIRST_ATTEMPT_NODES, RETRY_FACTOR = 8, 8
"""Node budget of the first attempt for each tightest request, and what each retry multiplies it by."""


class Rows(NamedTuple):
    """Candidates and the budgets that they share.

    Attributes
    ----------
    cost
        Cost of each candidate as a share of each row's budget, shape (rows, candidates).
    deadline_s
        Compute time that a batch with the candidate may take, shape (candidates,).
    constant, per_second
        Budget of each row is constant + per_second * deadline, tolerance included, shape (rows,).
    """

    cost: NDArray[np.float64]
    deadline_s: NDArray[np.float64]
    constant: NDArray[np.float64]
    per_second: NDArray[np.float64]


class Limits(NamedTuple):
    """When to end a search.

    Attributes
    ----------
    nodes
        Nodes visited so far, counted up in place, shape (1,).
    last_attempt
        No request is tried again once this many nodes are visited.
    node_limit
        No more nodes than this are visited.
    stopped
        Another thread sets it when the time is up, shape (1,).
    """

    nodes: NDArray[np.int64]
    last_attempt: int
    node_limit: int
    stopped: NDArray[np.bool_]


@compiled(error_model="numpy", nogil=True)
def decide(k, rows, pool, limits, chosen):  # type: ignore[no-untyped-def]
    """Look for a batch of `k`, with each request in turn as its tightest.

    Parameters
    ----------
    pool
        Multipliers, the best to begin with last, shape (kept, rows); changed in place.
    chosen
        Filled with the batch in its first k places if there is one.

    Returns
    -------
    int
        `FEASIBLE`, `INFEASIBLE`, or `UNDECIDED` if `limits` ended the search.
    """
    count, last = rows.constant.size, pool.shape[0] - 1
    every, attempts = np.empty(rows.deadline_s.size, np.int64), np.empty(rows.deadline_s.size, np.int64)
    for i in range(every.size):
        every[i], attempts[i] = i, 0
    index, room, multipliers = every, np.empty(count), np.empty(count)
    # an integer of a type, not a literal, so that `_branch` is compiled once
    unused, depth = last + 1, np.int64(0)
    while True:
        p = unused - 1 if unused > 0 else last
        unused = max(unused - 1, 0)
        tightest, relevant = _screen(k, rows, pool[p], attempts)
        if relevant.size == 0:
            return INFEASIBLE
        index, attempts = index[relevant], attempts[relevant]
        rows = Rows(columns(rows.cost, relevant), rows.deadline_s[relevant], rows.constant, rows.per_second)
        if unused > 0:
            continue
        for r in range(count):
            multipliers[r] = pool[last, r]
            room[r] = rows.constant[r] + rows.per_second[r] * rows.deadline_s[tightest]
            room[r] -= rows.cost[r, tightest]
        attempt_nodes = FIRST_ATTEMPT_NODES * RETRY_FACTOR ** attempts[tightest]
        end = limits.nodes[0] + min(attempt_nodes, limits.last_attempt - limits.nodes[0])
        others = Choice(columns(rows.cost, every[:tightest]), k - 1, room)
        outcome = _branch(others, multipliers, depth, end, limits, chosen)
        if outcome == FEASIBLE:
            for j in range(k - 1):
                chosen[j] = index[chosen[j]]
            chosen[k - 1] = index[tightest]
            return FEASIBLE
        # with nodes left of the attempt, the search was too deep
        cut_off = limits.stopped[0] or limits.nodes[0] >= limits.last_attempt or limits.nodes[0] < end
        if outcome == UNDECIDED and cut_off:
            return UNDECIDED
        attempts[tightest] = RULED_OUT if outcome == INFEASIBLE else attempts[tightest] + 1
        _remember(pool, multipliers)


@compiled(error_model="numpy")
def surrogate_bound(rows, multipliers):  # type: ignore[no-untyped-def]
    """Size of the largest batch that one surrogate budget allows, whatever its tightest request.

    One pass with the cheapest requests so far in a max-heap, O(I log k). A request that is removed
    because the budget is full never fits again: a later batch with it holds at least as many cheaper
    ones, under a smaller budget.
    """
    weight = combine(rows.cost, multipliers)
    constant, rate = _surrogate_budget(rows, multipliers)
    heap = np.empty(weight.size + 1)
    # zeros of a type, not literals, so that `rise` is compiled once
    size, best, total = np.int64(0), np.int64(0), 0.0
    for d in range(weight.size):
        rise(heap, size, weight[d])
        size += 1
        total += weight[d]
        while size > 0 and total > constant + rate * rows.deadline_s[d]:
            total -= heap[0]
            size -= 1
            sink(heap, size, heap[size])
        best = max(best, size)
    return best


@compiled(error_model="numpy")
def _screen(k, rows, multipliers, attempts):  # type: ignore[no-untyped-def]
    """Refute batches of `k` by one surrogate budget, for each request as the batch's tightest.

    One pass with the k-1 smallest costs so far in a heap, O(I log k). Sets `attempts` of each refuted
    tightest request to `RULED_OUT`. Also drops candidates that, in place of the dearest of the k-1,
    exceed the budget of every tightest request left (reduced-cost fixing).

    Returns
    -------
    tightest, relevant
        Place in `relevant` of the request with the fewest attempts, of those the one that leaves most of
        the budget; and the positions that may be in a batch of k, empty if all are refuted.
    """
    weight = combine(rows.cost, multipliers)
    constant, rate = _surrogate_budget(rows, multipliers)
    reach, heap = np.empty(weight.size), np.empty(k)
    heap[0] = 0.0
    size, best, total, most = np.int64(0), -1, 0.0, 0.0
    for d in range(weight.size):
        if attempts[d] != RULED_OUT:
            room = constant + rate * rows.deadline_s[d] - total - weight[d]
            reach[d] = room + heap[0]
            if size < k - 1 or room < 0:
                attempts[d] = RULED_OUT
            elif best < 0 or attempts[d] < attempts[best] or (attempts[d] == attempts[best] and room > most):
                best, most = d, room
        if size < k - 1:
            rise(heap, size, weight[d])
            size += 1
            total += weight[d]
        elif k > 1 and weight[d] < heap[0]:
            total += weight[d] - heap[0]
            sink(heap, size, weight[d])
    farthest, first, place = -1.0, weight.size, weight.size
    relevant = np.empty(weight.size, np.int64)
    for i in range(weight.size - 1, -1, -1):
        if attempts[i] != RULED_OUT or weight[i] <= farthest:
            first -= 1
            relevant[first] = i
            place = first if i == best else place
        if attempts[i] != RULED_OUT:
            farthest = max(farthest, reach[i])
    return place - first, relevant[first:]


@compiled(error_model="numpy")
def _branch(node, multipliers, depth, end, limits, chosen):  # type: ignore[no-untyped-def]
    """Solve a node by branch and bound on its linear relaxation.

    Candidates that reduced costs do not fix (`_fixing_thresholds`) are left to two branches, on a dear
    candidate that the relaxation takes in part: the one of largest share (1 - share) cost^2, where cost
    is its largest of all rows. Either it is included; or it is excluded, and with it all candidates that
    it dominates, since a batch with one of those may take it instead.

    Parameters
    ----------
    multipliers
        Where to begin; filled with the strongest that were met at this node.
    depth
        Level of this node.
    end
        No node is expanded once this many are visited, over the whole search.
    chosen
        Filled with the batch, if there is one.

    Returns
    -------
    int
        `FEASIBLE`, `INFEASIBLE`, or `UNDECIDED` if `end`, `limits` or `MAX_DEPTH` came first.
    """
    cost, k, room = node
    size = cost.shape[1]
    share = np.empty(size)
    outcome = relax(node, multipliers, chosen, share, limits.stopped)
    if outcome != UNDECIDED or limits.nodes[0] >= end or depth == MAX_DEPTH or limits.stopped[0]:
        return outcome
    weight = combine(cost, multipliers)
    low, high = _fixing_thresholds(weight, k, room, multipliers, chosen)
    left, prices = np.empty(room.size), np.empty(room.size)
    included, free, kept = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    included_count, free_count, branching, best, whole = 0, 0, size, -1.0, 0.0
    for i in range(size):
        whole += share[i] / k
    for r in range(room.size):
        left[r] = room[r]
    for i in range(size):
        if weight[i] < low:
            included[included_count] = i
            included_count += 1
            for r in range(room.size):
                left[r] -= cost[r, i]
        elif weight[i] <= high:
            free[free_count] = i
            free_count += 1
            dearest = 0.0
            for r in range(room.size):
                dearest = max(dearest, cost[r, i])
            score = share[i] * (whole - share[i]) * dearest * dearest
            if score > best:
                branching, best = i, score
    if branching < size:
        included[included_count] = branching
    for excluded in range(2 if branching < size else 1):
        if limits.nodes[0] >= limits.node_limit:
            return UNDECIDED
        kept_count = 0
        for c in range(free_count):
            if free[c] != branching and not (excluded and _dominates(cost, branching, free[c])):
                kept[kept_count] = free[c]
                kept_count += 1
        for r in range(room.size):
            prices[r] = multipliers[r]
            if branching < size:
                left[r] += cost[r, branching] if excluded else -cost[r, branching]
        included_count += 0 if branching == size else -1 if excluded else 1
        limits.nodes[0] += 1
        child = Choice(columns(cost, kept[:kept_count]), k - included_count, left)
        outcome = _branch(child, prices, depth + 1, end, limits, chosen)
        if outcome == FEASIBLE:
            for j in range(child.k):
                chosen[j] = kept[chosen[j]]
            for j in range(included_count):
                chosen[child.k + j] = included[j]
        if outcome != INFEASIBLE:
            return outcome
    return INFEASIBLE


@compiled(error_model="numpy")
def _fixing_thresholds(weight, k, room, multipliers, chosen):  # type: ignore[no-untyped-def]
    """Surrogate costs below which a candidate must be in a batch of k, and above which it must be out.

    The k cheapest leave a gap in the surrogate budget. A candidate dearer than the dearest of them by more
    than the gap cannot take its place; nor can the next cheapest take the place of one that is cheaper
    by more than the gap.
    """
    dearest, gap = 0.0, MARGIN
    last = cheapest(weight, k + 1 if weight.size > k else k, chosen)
    following = last if weight.size > k else np.inf
    for r in range(room.size):
        gap += multipliers[r] * room[r] * (1 + MARGIN)
    for j in range(k):
        gap -= weight[chosen[j]]
        dearest = max(dearest, weight[chosen[j]])
    gap = max(0.0, gap)
    return following - gap, dearest + gap


@compiled(error_model="numpy")
def _dominates(cost, i, j):  # type: ignore[no-untyped-def]
    """Whether `i` costs no more than `j` in any row, so that a batch with j and without i may swap them."""
    for r in range(cost.shape[0]):  # noqa: SIM110
        if cost[r, i] > cost[r, j]:
            return False
    return True


@compiled(error_model="numpy")
def _surrogate_budget(rows, multipliers):  # type: ignore[no-untyped-def]
    """Constant and rate of the surrogate budget, wider by `MARGIN`."""
    constant, rate = 0.0, 0.0
    for r in range(multipliers.size):
        constant += multipliers[r] * rows.constant[r]
        rate += multipliers[r] * rows.per_second[r]
    return constant * (1 + MARGIN), rate * (1 + MARGIN)


@compiled(error_model="numpy")
def _remember(pool, multipliers):  # type: ignore[no-untyped-def]
    """Append `multipliers` to the pool and drop its first."""
    for r in range(pool.shape[1]):
        for p in range(pool.shape[0] - 1):
            pool[p, r] = pool[p + 1, r]
        pool[-1, r] = multipliers[r]
