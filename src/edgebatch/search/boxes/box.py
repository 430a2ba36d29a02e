"""A box: the batches whose padded prompt, longest output and deadline lie between two corners.

A box admits the candidates that fit its loosest corner, and prices them at its cheapest: the least padding,
the least longest output, the latest deadline. That bounds what any batch of the box can hold. Before a box
is split, the same prices show which candidates, and which ends of the box, are in no batch large enough.
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import is_feasible, linear_time
from edgebatch.search.boxes.game import FEASIBLE, INFEASIBLE, MARGIN, UNDECIDED, cheapest, combine, relax
from edgebatch.search.boxes.members import estimate_waits, inside, price
from edgebatch.search.boxes.rounding import round_up
from edgebatch.search.boxes.sweep import corner_cost, sweep
from edgebatch.search.jit import compiled

PROMPT, OUTPUT, DEADLINE, MEMBER = 0, 1, 2, 3
"""What a node is split at: one of the three values that set a corner, or whether a member is chosen."""

START, HELD, GAP, BOUND, DIMENSION, VALUE, BOX, MULTIPLIERS, WAITS = 0, 1, 2, 3, 4, 5, 6, 12, 16
"""Places in a node, an array of floats.

Where its members are stored, and how many; what its cheapest batch leaves of the surrogate budget; upper
bound on its batches; what to split at, and the value, or the place of the member; least and most of each of
the three values; multipliers; waits, as of `count_waits`.
"""

LEAST_MULTIPLIER = 0.05
"""Of memory and time, when it is decided where to split: they may bind after it."""

ROUNDS, ENOUGH = 6, 0.4
"""Times that a box is tightened at most, and by which share of its members or of a range to go on."""


@compiled(error_model="numpy", inner=True)
def examine(candidates, node, members, m, size, batch, stopped):  # type: ignore[no-untyped-def]
    """Refute a box, find a batch in it, or tighten it and choose how to split it.

    Parameters
    ----------
    node
        As of `START`; improved.
    members
        Candidates of the box, as of `relax`, the first `m` in use; reduced.
    size
        Batches of at least this size are looked for.
    batch
        Filled with a batch if one is found.

    Returns
    -------
    outcome, m, found
        Members left; size of the batch if one was found.
    """
    lengths, experts = candidates.lengths, candidates.prices.expert_s + candidates.prices.expert_first_s > 0
    last, multipliers, waits = lengths.size, node[MULTIPLIERS:WAITS], node[WAITS:]
    cost, weight, share, chosen = np.empty((4, m)), np.empty(m), np.empty(m), np.empty(m, np.int64)
    place, keep = np.full(candidates.rank.size, -1), np.empty(m, np.bool_)
    first, table, live = np.empty(3), np.empty((3, last)), np.empty((2, last + 1))
    target, k, scale, shortest = np.full(3, np.inf), size, 1.0, 0
    for _round in range(ROUNDS):
        before = m
        m, forced = inside(candidates, node, members, m)
        k = max(size, forced)
        if forced < 0 or m < k:
            return INFEASIBLE, m, 0
        if m == k or forced == k:
            count = 0
            for p in range(m):
                if m == k or members[p] & 1:
                    batch[count] = members[p] >> 1
                    count += 1
            return FEASIBLE if is_feasible(candidates, batch, k) else INFEASIBLE, m, k
        padded, shortest = node[BOX], 0
        while lengths[shortest] < node[BOX + 2]:
            shortest += 1
        if experts:
            _live_range(candidates, members, m, k, forced, live)
        linear_time(candidates, waits, live[0], live[1], padded, first, table)
        scale = -node[BOX + 4] - table[2, shortest]
        if scale <= 0:
            return INFEASIBLE, m, 0
        price(candidates, members, m, padded, shortest, first, table, scale, cost)
        outcome = relax(candidates, members, m, cost, k, multipliers, share, chosen, batch, stopped)
        if outcome == FEASIBLE:
            combine(cost, multipliers, members, m, weight)
            k = round_up(candidates, target, members, m, weight, k, batch, k)
            # often many more fit together half way to the loosest corner
            for dimension in range(3):
                target[dimension] = (node[BOX + 2 * dimension] + node[BOX + 2 * dimension + 1]) / 2
            found = round_up(candidates, target, members, m, weight, k + 1, chosen, 0)
            for j in range(found if found > k else 0):
                batch[j] = chosen[j]
            k = max(k, found)
        if outcome != UNDECIDED or stopped[0]:
            node[GAP], node[BOUND] = 0.0, m
            return outcome, m, k
        estimate_waits(candidates, members, m, k, share, padded, live[0, :last], waits)
        # what the cheapest k leave of the surrogate budget
        whole = multipliers[0] + multipliers[1] + multipliers[2] + multipliers[3] + MARGIN
        combine(cost, multipliers, members, m, weight)
        following, gap, dearest, top = cheapest(weight, m, k + 1, chosen), whole, -np.inf, 0
        for j in range(k + 1):
            top = j if weight[chosen[j]] > weight[chosen[top]] else top
        for j in range(k + 1):
            if j != top:
                dearest = max(dearest, weight[chosen[j]])
                for r in range(4):
                    gap -= multipliers[r] * cost[r, chosen[j]]
        gap = max(gap, MARGIN)
        node[GAP], node[BOUND] = gap, m
        if dearest > 0 and not experts:
            node[BOUND] = min(m, k + np.floor(gap / dearest))
        # no batch has a member that is dearer by more than is left, nor lacks one that is cheaper by more
        for p in range(m):
            keep[p] = weight[p] <= dearest + gap
            must = weight[p] < following - gap and not members[p] & 1
            members[p] |= must
            weight[p] = 0.0
            for r in range(4):
                weight[p] += multipliers[r] * cost[r, p]
            forced += must
            place[members[p] >> 1] = p
        moved = 0.0
        for dimension in range(3):
            least, most = BOX + 2 * dimension, BOX + 2 * dimension + 1
            target[dimension] = node[most]
            # under flops with own billing, the longest output costs nothing
            flat = (
                dimension == OUTPUT and table[2, last - 1] == table[2, 0] and not candidates.prices.batch_max
            )
            if stopped[0] or forced >= k or flat or (dimension == PROMPT and node[least] == node[most]):
                continue
            low, high, best = sweep(
                candidates,
                node,
                dimension,
                members,
                m,
                weight,
                k,
                forced,
                place,
                keep,
                multipliers[2] / candidates.prices.memory_tokens,
                multipliers[3] / scale,
                whole,
                first,
                table,
                shortest,
            )
            if low < 0:
                return INFEASIBLE, m, 0
            if low == high and not members[low] & 1:
                members[low] |= 1
                forced += 1
                moved = 1.0
            width = node[most] - node[least]
            node[least] = candidates.value[dimension, members[low] >> 1]
            node[most] = candidates.value[dimension, members[high] >> 1]
            target[dimension] = candidates.value[dimension, members[best] >> 1]
            if width > 0:
                moved = max(moved, 1 - (node[most] - node[least]) / width)
        count = 0
        for p in range(m):
            place[members[p] >> 1] = -1
            if keep[p] or members[p] & 1:
                members[count], weight[count], share[count] = members[p], weight[p], share[p]
                for r in range(4):
                    cost[r, count] = cost[r, p]
                count += 1
        m = count
        if m < k or (moved < ENOUGH and m > (1 - ENOUGH) * before):
            break
    free = 0
    for p in range(m):
        free += not members[p] & 1
    if m <= k or free == 0:
        # nothing is left to choose, and no member to split at
        for p in range(m):
            batch[p] = members[p] >> 1
        return FEASIBLE if m >= k and is_feasible(candidates, batch, m) else INFEASIBLE, m, m
    found = round_up(candidates, target, members, m, weight, k, batch, 0) if m > k and not stopped[0] else 0
    if found >= size:
        return FEASIBLE, m, found
    dimension, loosest = MEMBER, 1e-9
    for other in range(3):
        at, r = node[BOX + 2 * other + 1], candidates.rank[members[m - 1] >> 1]
        memory = (multipliers[2] + LEAST_MULTIPLIER) / candidates.prices.memory_tokens
        time, fewest = (multipliers[3] + LEAST_MULTIPLIER) / scale, candidates.rank[members[0] >> 1]
        loose = corner_cost(
            candidates, node, other, first, table, shortest, fewest, k, at, max(r, shortest), memory, time
        )
        if loose > loosest and node[BOX + 2 * other] < at:
            dimension, loosest = other, loose
    _choose_split(node, dimension, members, m, cost, share)
    return UNDECIDED, m, 0


@compiled(error_model="numpy", inner=True)
def _live_range(candidates, members, m, k, forced, live):  # type: ignore[no-untyped-def]
    """Fill the range of the requests live up to each length, and of those in the first stage.

    A box with a batch of at least k has one of at most k requests, or of those that must be chosen, three
    that set its corner, and one more.
    """
    last, largest = candidates.lengths.size, float(max(k, forced + 4))
    live[0, last], live[1, last] = k, largest
    p, must, every = m - 1, 0, 0
    for r in range(last - 1, -1, -1):
        while p >= 0 and candidates.rank[members[p] >> 1] >= r:
            must += members[p] & 1
            every += 1
            p -= 1
        live[0, r], live[1, r] = k, largest
        if not candidates.prices.batch_max:
            live[0, r] = max(1, must)
            live[1, r] = max(live[0, r], min(largest - (forced - must), every))


@compiled(error_model="numpy", inner=True)
def _choose_split(node, dimension, members, m, cost, share):  # type: ignore[no-untyped-def]
    """Split half way in a dimension, or at the dearest member that the relaxation takes in part."""
    node[DIMENSION] = dimension
    if dimension != MEMBER:
        least, most = node[BOX + 2 * dimension], node[BOX + 2 * dimension + 1]
        node[VALUE] = (least + most) / 2 if (least + most) / 2 < most else least
        return
    best = -1.0
    for p in range(m):
        if not members[p] & 1:
            dear = max(max(cost[0, p], cost[1, p]), max(cost[2, p], cost[3, p]))
            score = share[p] * (1 - share[p]) * dear * dear + 1e-9 * share[p]
            if score > best:
                node[VALUE], best = p, score
