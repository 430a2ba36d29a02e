"""A box: the batches whose padded prompt, longest output and deadline lie between two corners.

A box admits the candidates that fit its loosest corner, and prices them at its cheapest: the least padding,
the least longest output, the latest deadline. That bounds what any batch of the box can hold. Before a box is split,
the same prices show which candidates, and which ends of the box, are in no batch that is large enough.
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import count_waits, is_feasible, linear_time
from edgebatch.search.game import (
    FEASIBLE,
    INFEASIBLE,
    MARGIN,
    UNDECIDED,
    cheapest,
    combine,
    relax,
    rise,
    sink,
)
from edgebatch.search.jit import compiled
from edgebatch.search.rounding import round_up

PROMPT, OUTPUT, DEADLINE, MEMBER = 0, 1, 2, 3
"""What a node is split at."""

LEAST, MOST = 0, 1
"""Ends of a range of a box."""

ROUNDS, ENOUGH = 6, 0.4
"""Times that a box is tightened at most, and by which share of its members or of a range to go on."""


@compiled(error_model="numpy", inner=True)
def examine(candidates, box, members, m, multipliers, waits, size, batch, stopped):  # type: ignore[no-untyped-def]
    """Refute a box, find a larger batch in it, or tighten it and choose how to split it.

    Parameters
    ----------
    box
        Least and most padded prompt, rank of the longest output, and deadline, shape (3, 2); tightened.
    members
        Candidates of the box, as of `relax`, the first `m` in use; reduced.
    multipliers, waits
        As of `relax` and `count_waits`, to begin with; improved.
    size
        Batches of at least this size are looked for.
    batch
        Filled with a batch if one is found.

    Returns
    -------
    outcome, m, found, gap, bound, dimension, value
        Members left; size of the batch found; what the cheapest batch leaves of the surrogate budget; upper
        bound on the batches of the box; what to split at, and the value, or place of the member.
    """
    prices, rank, lengths = candidates.prices, candidates.rank, candidates.lengths
    last = lengths.size
    refuted = (0, 0, 0.0, 0, 0, 0.0)
    cost = np.empty((4, m))
    share, weight, base = np.empty(m), np.empty(m), np.empty(m)
    budget, reach = np.empty(m), np.empty(m)
    keep = np.empty(m, np.bool_)
    chosen, order = np.empty(m, np.int64), np.empty(m, np.int64)
    place = np.empty(rank.size, np.int64)
    for i in range(rank.size):
        place[i] = -1
    first, table, target = np.zeros(3), np.empty((3, last)), np.empty(3)
    fewest, most, live = np.zeros(last + 1), np.zeros(last + 1), np.zeros(last)
    target[PROMPT], target[OUTPUT], target[DEADLINE] = np.inf, np.inf, 0.0
    rewrites = prices.dense_s + prices.dense_first_s > 0
    scale, k, gap, bound = 1.0, size, 0.0, m
    for _round in range(ROUNDS):
        count, forced = 0, 0
        for p in range(m):
            i, must = members[p] >> 1, members[p] & 1
            short = candidates.prompt[i] <= box[PROMPT, MOST] and rank[i] <= box[OUTPUT, MOST]
            if short and candidates.deadline_s[i] >= box[DEADLINE, LEAST]:
                members[count] = members[p]
                count += 1
                forced += must
                if must:
                    box[PROMPT, LEAST] = max(box[PROMPT, LEAST], candidates.prompt[i])
                    box[OUTPUT, LEAST] = max(box[OUTPUT, LEAST], rank[i])
                    box[DEADLINE, MOST] = min(box[DEADLINE, MOST], candidates.deadline_s[i])
            elif must:
                return (INFEASIBLE,) + refuted
        before, m = m, count
        k = max(size, forced)
        empty = m < k
        for dimension in range(3):
            empty |= box[dimension, LEAST] > box[dimension, MOST]
        if empty:
            return (INFEASIBLE,) + refuted
        if m == k or forced == k:
            count = 0
            for p in range(m):
                if m == k or members[p] & 1:
                    batch[count] = members[p] >> 1
                    count += 1
            fits = is_feasible(candidates, batch, k)
            return (FEASIBLE, m, k, 0.0, m, 0, 0.0) if fits else (INFEASIBLE,) + refuted
        padded, shortest = box[PROMPT, LEAST], int(box[OUTPUT, LEAST])
        if prices.expert_s + prices.expert_first_s > 0:
            _live_range(candidates, members, m, k, forced, fewest, most)
        if m >= 0:
            linear_time(candidates, waits, fewest, most, padded, first, table)
            scale = box[DEADLINE, MOST] - table[2, shortest]
            if scale <= 0:
                return (INFEASIBLE,) + refuted
            for p in range(m):
                i = members[p] >> 1
                s, r = max(padded, candidates.prompt[i]), rank[i]
                r = max(shortest, r) if prices.batch_max else r
                cost[0, p], cost[1, p] = candidates.uplink[i], candidates.downlink[i]
                cost[2, p] = (s + lengths[r]) / prices.memory_tokens
                cost[3, p] = (first[0] + first[1] * s) * s + first[2] + table[0, r] + table[1, r] * s
                cost[3, p] /= scale
            outcome = relax(candidates, members, m, cost, k, multipliers, share, chosen, batch, stopped)
            if outcome == FEASIBLE:
                combine(cost, multipliers, members, m, weight)
                k = round_up(candidates, target, members, m, weight, k, batch, k)
                return FEASIBLE, m, k, 0.0, m, 0, 0.0
            if outcome == INFEASIBLE:
                return (INFEASIBLE,) + refuted
            if stopped[0]:
                return UNDECIDED, m, 0, 0.0, m, 0, 0.0
        # what the cheapest k leave of the surrogate budget
        combine(cost, multipliers, members, m, weight)
        following = cheapest(weight, m, k + 1, chosen)
        dearest = -np.inf
        gap = multipliers[0] + multipliers[1] + multipliers[2] + multipliers[3] + MARGIN
        highest = 0
        for j in range(k + 1):
            if weight[chosen[j]] > weight[chosen[highest]]:
                highest = j
        for j in range(k + 1):
            if j != highest:
                p = chosen[j]
                dearest = max(dearest, weight[p])
                for r in range(4):
                    gap -= multipliers[r] * cost[r, p]
        gap = max(gap, MARGIN)
        bound = m
        if dearest > 0 and prices.expert_s + prices.expert_first_s == 0:
            bound = min(m, k + int(min(gap / dearest, 1.0 * m)))
        a, b, c, d = multipliers[0], multipliers[1], multipliers[2], multipliers[3]
        forced_cost = 0.0
        for p in range(m):
            keep[p] = weight[p] <= dearest + gap
            if weight[p] < following - gap and not members[p] & 1:
                members[p] |= 1
                forced += 1
            weight[p] = a * cost[0, p] + b * cost[1, p] + c * cost[2, p] + d * cost[3, p]
            place[members[p] >> 1] = p
            base[p] = weight[p]
            order[p] = p
        free = k - forced
        c, d = c / prices.memory_tokens, d / scale
        whole = a + b + multipliers[2] + multipliers[3] + MARGIN
        moved = 0.0
        target[PROMPT], target[OUTPUT] = box[PROMPT, MOST], box[OUTPUT, MOST]
        target[DEADLINE] = box[DEADLINE, LEAST]
        for dimension in range(3):
            if free <= 0 or (dimension == PROMPT and prices.padding > 0):
                continue
            if dimension != OUTPUT:
                q = 0
                ordered = candidates.by_prompt if dimension == PROMPT else candidates.by_deadline
                for j in range(ordered.size):
                    if ordered[j] < 0:
                        break
                    if place[ordered[j]] >= 0:
                        order[q] = place[ordered[j]]
                        q += 1
            else:
                for p in range(m):
                    order[p] = p
            forced_cost = 0.0
            for p in range(m):
                i = members[p] >> 1
                s, r = max(padded, candidates.prompt[i]), rank[i]
                billed = max(shortest, r) if prices.batch_max else r
                base[p] = weight[p]
                if dimension == DEADLINE:
                    at = candidates.deadline_s[i]
                    budget[p] = whole - d * (box[DEADLINE, MOST] - at)
                elif dimension == OUTPUT:
                    at = float(r)
                    budget[p] = whole - d * (table[2, r] - table[2, shortest])
                    if prices.batch_max and r > shortest:
                        fixed = c * (lengths[r] - lengths[shortest]) + d * (table[0, r] - table[0, shortest])
                        grows = d * (table[1, r] - table[1, shortest])
                        base[p] -= fixed + grows * s
                        budget[p] -= k * (fixed + grows * padded)
                else:
                    at = candidates.prompt[i]
                    rises = c * (s - padded)
                    rises += d * (s - padded) * (first[0] + first[1] * (s + padded))
                    base[p] -= rises + d * (s - padded) * table[1, billed]
                    least = shortest if prices.batch_max else rank[members[0] >> 1]
                    budget[p] = whole - k * (rises + d * (s - padded) * table[1, least])
                if not box[dimension, LEAST] <= at <= box[dimension, MOST]:
                    budget[p] = -np.inf
                if members[p] & 1:
                    forced_cost += base[p]
            low, high, setters, best = _sweep(order, m, members, base, budget, free, forced_cost, keep, reach)
            if setters == 0:
                return (INFEASIBLE,) + refuted
            lower, upper, promising = members[low] >> 1, members[high] >> 1, members[best] >> 1
            if dimension == DEADLINE:
                least_value, most_value = candidates.deadline_s[upper], candidates.deadline_s[lower]
                target[dimension] = candidates.deadline_s[promising]
            elif dimension == OUTPUT:
                least_value, most_value = float(rank[lower]), float(rank[upper])
                target[dimension] = float(rank[promising])
            else:
                least_value, most_value = candidates.prompt[lower], candidates.prompt[upper]
                target[dimension] = candidates.prompt[promising]
            width = box[dimension, MOST] - box[dimension, LEAST]
            if width > 0:
                moved = max(moved, 1 - (most_value - least_value) / width)
            box[dimension, LEAST] = least_value
            box[dimension, MOST] = most_value
            if setters == 1 and not members[low] & 1:
                members[low] |= 1
                forced += 1
                free -= 1
                moved = 1.0
        if rewrites:
            total, p = 0.0, m - 1
            for r in range(last - 1, -1, -1):
                while p >= 0 and rank[members[p] >> 1] >= r:
                    total += share[p]
                    p -= 1
                live[r] = k if prices.batch_max else total
            count_waits(candidates, live, float(k), padded, waits)
        count = 0
        for p in range(m):
            place[members[p] >> 1] = -1
            if keep[p] or members[p] & 1:
                members[count], weight[count], share[count] = members[p], weight[p], share[p]
                for r in range(4):
                    cost[r, count] = cost[r, p]
                count += 1
        m = count
        if (moved < ENOUGH and m > (1 - ENOUGH) * before) or m < k:
            break
    if m < k:
        return (INFEASIBLE,) + refuted
    found = round_up(candidates, target, members, m, weight, k, batch, 0)
    if found >= size:
        return FEASIBLE, m, found, 0.0, m, 0, 0.0
    # split where the box is loosest
    a, b, c, d = multipliers[0], multipliers[1], multipliers[2], multipliers[3]
    c, d = (c + 0.05) / prices.memory_tokens, (d + 0.05) / scale
    s, r = box[PROMPT, MOST], int(box[OUTPUT, MOST])
    padded, shortest = box[PROMPT, LEAST], int(box[OUTPUT, LEAST])
    loose = np.zeros(3)
    loose[DEADLINE] = d * (box[DEADLINE, MOST] - box[DEADLINE, LEAST])
    loose[OUTPUT] = d * (table[2, r] - table[2, shortest])
    if prices.batch_max:
        fixed = c * (lengths[r] - lengths[shortest]) + d * (table[0, r] - table[0, shortest])
        loose[OUTPUT] += k * (fixed + padded * d * (table[1, r] - table[1, shortest]))
    rises = c * (s - padded) + d * (s - padded) * (first[0] + first[1] * (s + padded))
    loose[PROMPT] = k * (rises + d * (s - padded) * table[1, rank[members[0] >> 1]])
    dimension = PROMPT
    for other in (OUTPUT, DEADLINE):
        if loose[other] > loose[dimension]:
            dimension = other
    if loose[dimension] > 1e-9:
        if dimension == OUTPUT:
            middle = (lengths[shortest] + lengths[r]) / 2
            value = shortest
            while value + 1 < r and lengths[value + 1] <= middle:
                value += 1
            return UNDECIDED, m, 0, gap, bound, dimension, float(value)
        value = (box[dimension, LEAST] + box[dimension, MOST]) / 2
        if value >= box[dimension, MOST]:
            value = box[dimension, LEAST]
        return UNDECIDED, m, 0, gap, bound, dimension, value
    branching, best = -1, -1.0
    for p in range(m):
        if not members[p] & 1:
            dear = max(max(cost[0, p], cost[1, p]), max(cost[2, p], cost[3, p]))
            score = share[p] * (1 - share[p]) * dear * dear + 1e-9 * share[p]
            if score > best:
                branching, best = p, score
    return UNDECIDED, m, 0, gap, bound, MEMBER, float(branching)


@compiled(error_model="numpy", inner=True)
def _live_range(candidates, members, m, k, forced, fewest, most):  # type: ignore[no-untyped-def]
    """Fill the range of the requests live up to each length, and of those in the first stage.

    A box with a batch of at least k has one of at most k requests, or of those that must be chosen, three that
    set its corner, and one more.
    """
    last, billed_own = candidates.lengths.size, not candidates.prices.batch_max
    largest = float(max(k, forced + 4))
    fewest[last], most[last] = k, largest
    p, must, every = m - 1, 0, 0
    for r in range(last - 1, -1, -1):
        while p >= 0 and candidates.rank[members[p] >> 1] >= r:
            must += members[p] & 1
            every += 1
            p -= 1
        fewest[r] = max(1, must) if billed_own else k
        high = min(largest - (forced - must), every) if billed_own else largest
        most[r] = max(fewest[r], high)


@compiled(error_model="numpy", inner=True)
def _sweep(order, m, members, weight, budget, free, forced_cost, keep, reach):  # type: ignore[no-untyped-def]
    """Test each member as the last of its batch in `order`, which sets one corner of the batch.

    One pass with the cheapest free members so far in a heap, O(m log free). A member stays if it can be last,
    or if it can take the place of the dearest of a batch with a later last.

    Parameters
    ----------
    budget
        Surrogate budget of batches with each member as their last, -inf if it cannot be, shape (m,).
    free
        Number to choose beside the members that must be.
    keep
        Set to false for members that are in no batch.

    Returns
    -------
    first, last, setters, best
        The first and last in `order` that can be last of a batch, how many can, and which of them leaves most
        of the budget.
    """
    heap = np.empty(free + 1)
    first, last, setters, best, most = -1, -1, 0, -1, -1.0
    # of a type, not a literal, so that `rise` is compiled once
    size, total = np.int64(0), forced_cost
    for q in range(m):
        p = order[q]
        reach[q] = -np.inf
        others = free if members[p] & 1 else free - 1
        if size >= others:
            left, dearest = budget[p] - total, -np.inf
            if size > 0:
                dearest = heap[0]
            if not members[p] & 1:
                left -= weight[p]
                if size == free:
                    left += heap[0]
                    dearest = -np.inf
                    if size > 1:
                        dearest = heap[1]
                    if size > 2:
                        dearest = max(dearest, heap[2])
            if left >= 0:
                reach[q] = left + dearest
                first = p if setters == 0 else first
                last = p
                setters += 1
                if left > most:
                    best, most = p, left
            else:
                budget[p] = -np.inf
        else:
            budget[p] = -np.inf
        if not members[p] & 1:
            if size < free:
                rise(heap, size, weight[p])
                size += 1
                total += weight[p]
            elif weight[p] < heap[0]:
                total += weight[p] - heap[0]
                sink(heap, size, weight[p])
    farthest = -np.inf
    for q in range(m - 1, -1, -1):
        p = order[q]
        if budget[p] == -np.inf and weight[p] > farthest:
            keep[p] = False
        farthest = max(farthest, reach[q])
    return first, last, setters, best
