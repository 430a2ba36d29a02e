"""The largest batch, proven: surrogate budgets, column generation, and branch and bound.

Every budget is a row: a batch's costs in that row must not exceed a constant plus a rate times the batch's
deadline. Multipliers >= 0 of the rows add them up to one surrogate budget, which every feasible batch
keeps; so k requests do not fit if the k of smallest surrogate cost do not. Good multipliers refute nearly
all deadlines at once in one pass, and a small search settles the others.

Candidates stand in order of falling deadline wherever a function speaks of the tightest request: a batch
whose tightest is the d-th takes its others from those before.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.jit import compiled

# All that `decide` calls stands in this file: Numba's cache looks at the time of a function's own file, so
# that an edit of another would not reach the compiled search.

FOUND, REFUTED, OPEN = 0, 1, 2
"""A feasible batch is at hand; there is none; not decided."""

NEVER = -1
"""In place of how often a request was tried as a batch's tightest: it cannot be."""

DEEPEST = 400
"""Levels of branching at most, for each takes about a kilobyte of a stack that may have half a megabyte."""

PATIENCE = 8
"""Nodes that a tightest request gets when it is first tried; each time round eight times as many."""

STEPS = 6
"""Batches that are priced, once a deadline is refuted, for multipliers that refute more than that."""

MARGIN = 1e-11
"""Sums of up to 10^5 floats err by less than this share: a budget counts as exceeded only beyond it."""


class Rows(NamedTuple):
    """Candidates, and the budgets they share.

    Attributes
    ----------
    cost
        Cost of each candidate as a share of each row's budget, shape (rows, candidates).
    deadline_s
        What a batch's compute time must not exceed if the candidate is in it, shape (candidates,).
    constant, per_second
        Budget of each row: constant + per_second * deadline, tolerance included, shape (rows,).
    """

    cost: NDArray[np.float64]
    deadline_s: NDArray[np.float64]
    constant: NDArray[np.float64]
    per_second: NDArray[np.float64]


@compiled(error_model="numpy")
def _sink(heap, size, value):  # type: ignore[no-untyped-def]
    """Put `value` in place of the largest of a max-heap."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@compiled(error_model="numpy")
def _rise(heap, size, value):  # type: ignore[no-untyped-def]
    """Add `value` to a max-heap of `size`."""
    at = size
    while at > 0 and heap[(at - 1) // 2] < value:
        heap[at] = heap[(at - 1) // 2]
        at = (at - 1) // 2
    heap[at] = value


@compiled(error_model="numpy")
def _combine(cost, multipliers):  # type: ignore[no-untyped-def]
    """Surrogate cost of each candidate."""
    weight = np.empty(cost.shape[1])
    for i in range(weight.size):
        weight[i] = multipliers[0] * cost[0, i]
    for r in range(1, cost.shape[0]):
        if multipliers[r] > 0:
            for i in range(weight.size):
                weight[i] += multipliers[r] * cost[r, i]
    return weight


@compiled(error_model="numpy")
def _surrogate_budget(rows, multipliers):  # type: ignore[no-untyped-def]
    """The surrogate budget, a hair wide: constant and rate."""
    constant, rate = 0.0, 0.0
    for r in range(multipliers.size):
        constant += multipliers[r] * rows.constant[r]
        rate += multipliers[r] * rows.per_second[r]
    return constant * (1 + MARGIN), rate * (1 + MARGIN)


@compiled(error_model="numpy")
def largest(rows, multipliers):  # type: ignore[no-untyped-def]
    """Largest batch that one surrogate budget allows, whatever its tightest request.

    One pass with the cheapest requests so far in a max-heap, O(I log k). A request that is taken out
    because the budget is full never fits again: a later batch with it holds at least as many cheaper
    ones, under a smaller budget.
    """
    weight = _combine(rows.cost, multipliers)
    constant, rate = _surrogate_budget(rows, multipliers)
    heap = np.empty(weight.size + 1)
    # zeros of a type, not literals, so that `_rise` is compiled once
    size, best, total = np.int64(0), np.int64(0), 0.0
    for d in range(weight.size):
        _rise(heap, size, weight[d])
        size += 1
        total += weight[d]
        while size > 0 and total > constant + rate * rows.deadline_s[d]:
            total -= heap[0]
            size -= 1
            _sink(heap, size, heap[size])
        best = max(best, size)
    return best


@compiled(error_model="numpy")
def _screen(k, rows, multipliers, tries):  # type: ignore[no-untyped-def]
    """Refute batches of `k` by one surrogate budget, for each request as the batch's tightest.

    One pass with the k-1 smallest costs so far in a heap, O(I log k). `tries` of the tightest requests that
    are refuted becomes `NEVER`. Left out is also what in place of the dearest of the k-1 exceeds the
    budget of every tightest request that is not refuted (reduced-cost fixing).

    Returns
    -------
    tightest, relevant
        Place in `relevant` of the request least often tried, of those the one that leaves most of the
        budget; and what may be in a batch of k, by position, nothing if all are refuted.
    """
    weight = _combine(rows.cost, multipliers)
    constant, rate = _surrogate_budget(rows, multipliers)
    reach, heap = np.empty(weight.size), np.empty(k)
    heap[0] = 0.0
    size, best, total, most = np.int64(0), -1, 0.0, 0.0
    for d in range(weight.size):
        if tries[d] != NEVER:
            room = constant + rate * rows.deadline_s[d] - total - weight[d]
            reach[d] = room + heap[0]
            if size < k - 1 or room < 0:
                tries[d] = NEVER
            elif best < 0 or tries[d] < tries[best] or (tries[d] == tries[best] and room > most):
                best, most = d, room
        if size < k - 1:
            _rise(heap, size, weight[d])
            size += 1
            total += weight[d]
        elif k > 1 and weight[d] < heap[0]:
            total += weight[d] - heap[0]
            _sink(heap, size, weight[d])
    farthest, first, place = -1.0, weight.size, weight.size
    relevant = np.empty(weight.size, np.int64)
    for i in range(weight.size - 1, -1, -1):
        if tries[i] != NEVER or weight[i] <= farthest:
            first -= 1
            relevant[first] = i
            place = first if i == best else place
        if tries[i] != NEVER:
            farthest = max(farthest, reach[i])
    return place - first, relevant[first:]


@compiled(error_model="numpy")
def _cheapest(weight, k, chosen):  # type: ignore[no-untyped-def]
    """Fill `chosen` with the `k` requests of smallest surrogate cost; the largest of these costs."""
    heap = np.empty(k)
    for i in range(weight.size):
        if i < k:
            _rise(heap, i, weight[i])
        elif weight[i] < heap[0]:
            _sink(heap, k, weight[i])
    taken = 0
    for i in range(weight.size):
        if weight[i] < heap[0]:
            chosen[taken] = i
            taken += 1
    for i in range(weight.size):
        if taken < k and weight[i] == heap[0]:
            chosen[taken] = i
            taken += 1
    return heap[0]


@compiled(error_model="numpy")
def _relax(cost, k, room, multipliers, chosen, share):  # type: ignore[no-untyped-def]
    """Solve the linear relaxation of choosing `k` requests within `room`, by column generation.

    A matrix game: a mixture of batches that overloads no row, against multipliers that overload every
    batch. With all entries shifted above zero it is a linear program with a row for each budget and a
    column for each batch, solved by the simplex method. The column to enter is the slack of a row whose
    price fell below zero, else the batch of smallest surrogate cost: if that one has no gain either, no
    column has, and the prices are optimal multipliers.

    Parameters
    ----------
    multipliers
        Where to begin; filled with the strongest that were met.
    chosen, share
        Filled with a feasible batch if one is met, and with the share of each request in the mixture.

    Returns
    -------
    int
        `FOUND`; `REFUTED` by `multipliers`; `OPEN`, with a mixture that fits.
    """
    count = cost.shape[0]
    shift = 1.0
    for r in range(count):
        shift = max(shift, 1 + room[r])
        if room[r] < 0:
            return REFUTED
    if k == 0:
        return FOUND
    if k < 0 or cost.shape[1] < k:
        return REFUTED
    inverse, members = np.empty((count, count)), np.empty((count, k), np.int64)
    value, column, entering = np.empty(count), np.empty(count), np.empty(count)
    gain, prices, trial = np.empty(count), np.empty(count), np.empty(count)
    for r in range(count):
        for c in range(count):
            inverse[r, c] = 1.0 if r == c else 0.0
        value[r], gain[r], prices[r], trial[r] = 1.0, 0.0, 0.0, multipliers[r]
    strongest = -np.inf
    for step in range(60):
        slack, lowest = -1, -1e-9
        for r in range(count):
            if prices[r] < lowest:
                slack, lowest = r, prices[r]
        for r in range(count):
            column[r] = 1.0 if r == slack else 0.0
        if slack < 0:
            _cheapest(_combine(cost, trial), k, chosen)
            fits, overload, price = True, 0.0, 0.0
            for r in range(count):
                load = 0.0
                for j in range(k):
                    load += cost[r, chosen[j]]
                fits = fits and load <= room[r]
                overload += trial[r] * (load - room[r])
                column[r] = load - room[r] + shift
                price += prices[r] * column[r]
            if fits:
                return FOUND
            if overload > strongest:
                strongest = overload
                for r in range(count):
                    multipliers[r] = trial[r]
            if strongest > MARGIN * shift and (step >= STEPS or price >= 1 - 1e-3):
                return REFUTED
            if step > 0 and price >= 1 - 1e-9:
                break
        leaving, least = -1, np.inf
        for r in range(count):
            entering[r] = 0.0
            for c in range(count):
                entering[r] += inverse[r, c] * column[c]
            if entering[r] > 1e-12 and value[r] < least * entering[r]:
                leaving, least = r, value[r] / entering[r]
        if leaving < 0:
            break
        gain[leaving] = 1.0 if slack < 0 else 0.0
        for j in range(k):
            members[leaving, j] = chosen[j]
        for c in range(count):
            inverse[leaving, c] /= entering[leaving]
        value[leaving] = least
        total = 0.0
        for r in range(count):
            if r != leaving:
                value[r] = max(0.0, value[r] - entering[r] * least)
                for c in range(count):
                    inverse[r, c] -= entering[r] * inverse[leaving, c]
        for c in range(count):
            prices[c] = 0.0
            for r in range(count):
                prices[c] += gain[r] * inverse[r, c]
            trial[c] = max(0.0, prices[c])
            total += trial[c]
        for c in range(count):
            trial[c] /= total
    if strongest > MARGIN * shift:
        return REFUTED
    for i in range(cost.shape[1]):
        share[i] = 0.0
    for r in range(count):
        if gain[r] > 0:
            for j in range(k):
                share[members[r, j]] += value[r]
    return OPEN


@compiled(error_model="numpy")
def _branch(cost, k, room, multipliers, depth, limit, chosen):  # type: ignore[no-untyped-def]
    """Choose `k` requests within `room`, or refute that, by branch and bound on the relaxation.

    What the reduced costs do not settle (`_settle`) is left to two branches: of the requests that the
    relaxation takes in part, a dear one is in; or it is out, and with it all that it dominates, since a
    batch with one of those may take it instead.

    Parameters
    ----------
    multipliers
        Where to begin; filled with the strongest that were met at the root.
    depth, limit
        Level of this node; most nodes below it, but for one more at each level where the search is cut off.
    chosen
        Filled with the batch, if one is found.

    Returns
    -------
    outcome, nodes
        `OPEN` if `limit` nodes did not decide it, or with fewer nodes if it is `DEEPEST` before that.
    """
    count, size = cost.shape
    share, nodes = np.empty(size), 0
    outcome = _relax(cost, k, room, multipliers, chosen, share)
    if outcome != OPEN or limit <= 0 or depth == DEEPEST:
        return outcome, nodes
    weight = _combine(cost, multipliers)
    low, high = _settle(weight, k, room, multipliers, chosen)
    left, prices = np.empty(count), np.empty(count)
    sure, free, keep = np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
    sures, frees, pick, best, whole = 0, 0, size, -1.0, 0.0
    for r in range(count):
        left[r] = room[r]
    for i in range(size):
        whole += share[i] / k
    for i in range(size):
        if weight[i] < low:
            sure[sures] = i
            sures += 1
            for r in range(count):
                left[r] -= cost[r, i]
        elif weight[i] <= high:
            free[frees] = i
            frees += 1
            dearest = 0.0
            for r in range(count):
                dearest = max(dearest, cost[r, i])
            score = share[i] * (whole - share[i]) * dearest * dearest
            if score > best:
                pick, best = i, score
    if pick < size:
        sure[sures] = pick
    for out in range(2 if pick < size else 1):
        kept = 0
        for c in range(frees):
            if free[c] != pick and not (out and _dominates(cost, pick, free[c])):
                keep[kept] = free[c]
                kept += 1
        for r in range(count):
            prices[r] = multipliers[r]
            if pick < size:
                left[r] += cost[r, pick] if out else -cost[r, pick]
        sures += 0 if pick == size else -1 if out else 1
        nodes += 1
        some, needed = _columns(cost, keep[:kept]), k - sures
        outcome, visited = _branch(some, needed, left, prices, depth + 1, limit - nodes, chosen)
        nodes += visited
        if outcome == FOUND:
            for j in range(needed):
                chosen[j] = keep[chosen[j]]
            for j in range(sures):
                chosen[needed + j] = sure[j]
        if outcome != REFUTED:
            return outcome, nodes
    return REFUTED, nodes


@compiled(error_model="numpy")
def _settle(weight, k, room, multipliers, chosen):  # type: ignore[no-untyped-def]
    """Surrogate costs below which a request must be in a batch of k, and above which it must be out.

    The k cheapest leave a gap in the surrogate budget. A request beyond the gap above the dearest of them
    cannot take its place, nor can the next cheapest take the place of one beyond the gap below (reduced-cost
    fixing).
    """
    dearest, gap = 0.0, MARGIN
    last = _cheapest(weight, k + 1 if weight.size > k else k, chosen)
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
def _remember(pool, multipliers):  # type: ignore[no-untyped-def]
    """Put `multipliers` last in the pool, in place of the first."""
    for r in range(pool.shape[1]):
        for p in range(pool.shape[0] - 1):
            pool[p, r] = pool[p + 1, r]
        pool[-1, r] = multipliers[r]


@compiled(error_model="numpy")
def _columns(cost, index):  # type: ignore[no-untyped-def]
    result = np.empty((cost.shape[0], index.size))
    for r in range(cost.shape[0]):
        for j in range(index.size):
            result[r, j] = cost[r, index[j]]
    return result


@compiled(error_model="numpy")
def decide(k, rows, pool, limit, chosen):  # type: ignore[no-untyped-def]
    """Look for a batch of `k` with each request in turn as its tightest.

    Parameters
    ----------
    pool
        Multipliers, the best to begin with last, shape (kept, rows); changed in place.
    limit
        Most nodes of branch and bound.

    Returns
    -------
    outcome, nodes
        `FOUND` with the batch in chosen[:k]; `REFUTED`; `OPEN` if `limit` was too low.
    """
    count, last = rows.constant.size, pool.shape[0] - 1
    every, tries = np.empty(rows.deadline_s.size, np.int64), np.empty(rows.deadline_s.size, np.int64)
    for i in range(every.size):
        every[i], tries[i] = i, 0
    index, room, multipliers = every, np.empty(count), np.empty(count)
    unused, nodes, depth = last + 1, 0, np.int64(0)
    while True:
        p = unused - 1 if unused > 0 else last
        unused = max(unused - 1, 0)
        tightest, relevant = _screen(k, rows, pool[p], tries)
        if relevant.size == 0:
            return REFUTED, nodes
        index, tries = index[relevant], tries[relevant]
        rows = Rows(_columns(rows.cost, relevant), rows.deadline_s[relevant], rows.constant, rows.per_second)
        if unused > 0:
            continue
        for r in range(count):
            multipliers[r] = pool[last, r]
            room[r] = rows.constant[r] + rows.per_second[r] * rows.deadline_s[tightest]
            room[r] -= rows.cost[r, tightest]
        patience = min(PATIENCE * 8 ** tries[tightest], limit - nodes)
        others = _columns(rows.cost, every[:tightest])
        outcome, visited = _branch(others, k - 1, room, multipliers, depth, patience, chosen)
        nodes += visited
        if outcome == FOUND:
            for j in range(k - 1):
                chosen[j] = index[chosen[j]]
            chosen[k - 1] = index[tightest]
            return FOUND, nodes
        if outcome == OPEN and (nodes >= limit or visited < patience):
            return OPEN, nodes
        tries[tightest] = NEVER if outcome == REFUTED else tries[tightest] + 1
        _remember(pool, multipliers)
