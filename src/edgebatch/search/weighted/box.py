"""A box with weights: the heaviest of the batches whose padded prompt, longest output and deadline are in it.

As in `edgebatch.search.boxes.box`, the box admits the candidates that fit its loosest corner and prices them
at its cheapest. The linear relaxation at those prices bounds the weight of any batch of the box. A member
whose reduced weight is farther from 0 than the bound is from the best batch is in all batches that are
heavier, or in none.
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import is_feasible, linear_time
from edgebatch.search.boxes.box import BOUND, BOX, DEADLINE, DIMENSION, MEMBER, OUTPUT, PROMPT, VALUE, WAITS
from edgebatch.search.boxes.game import MARGIN
from edgebatch.search.boxes.members import estimate_waits, inside, price
from edgebatch.search.boxes.rounding import round_up
from edgebatch.search.jit import compiled
from edgebatch.search.weighted.corners import extra_cost
from edgebatch.search.weighted.program import relax
from edgebatch.search.weighted.tighten import drop_dear, snap, tighten

BASIS = 12
"""Place in a node of the four variables of its basis: a candidate, or -1 - r for the slack of budget r."""

ROUNDS, ENOUGH = 6, 0.3
"""Times that a box is tightened at most, and by which share of its members to go on."""

LOOSE, EXCEEDED = 0.2, 0.3
"""A box is split at a corner that costs more than this share of the distance between bound and cut."""


@compiled(error_model="numpy", inner=True)
def cut_of(heaviest, spare):  # type: ignore[no-untyped-def]
    """Weight that a batch must exceed to count as heavier than the heaviest."""
    return heaviest * (1 + 1e-10) + spare


@compiled(error_model="numpy", inner=True)
def weight_of(weight, batch, count):  # type: ignore[no-untyped-def]
    """Sum of the weights of the first `count` of `batch`."""
    total = 0.0
    for j in range(count):
        total += weight[batch[j]]
    return total


@compiled(error_model="numpy", inner=True)
def examine(candidates, worth, node, members, m, heaviest, spare, batch, stopped):  # type: ignore[no-untyped-def]
    """Tighten a box, look for a batch that is heavier than the heaviest, and choose how to split it.

    Parameters
    ----------
    worth
        Weight of each candidate.
    node, members
        As of `edgebatch.search.boxes.box.examine`; the node has a basis in place of multipliers.
    heaviest, spare
        Weight of the heaviest batch so far; a batch that is heavier by at most `spare` does not count.
    batch
        Filled with a heavier batch if one is found.

    Returns
    -------
    m, found, heaviest
        Members left, 0 if no heavier batch is in the box; size of the batch, 0 if none was found; its weight.
    """
    last, waits = candidates.lengths.size, node[WAITS:]
    experts = candidates.prices.expert_s + candidates.prices.expert_first_s > 0
    cost, weight, share, reduced = np.empty((4, m)), np.empty(m), np.empty(m), np.empty(m)
    place, keep, trial = np.full(candidates.rank.size, -1), np.empty(m, np.bool_), np.empty(m, np.int64)
    first, table, live = np.empty(3), np.empty((3, last)), np.ones((2, last + 1))
    room, prices, basis, target = np.empty(4), np.empty(4), np.empty(4, np.int64), np.empty(3)
    size, shortest, scale, bound = 0, 0, 1.0, np.inf
    for _round in range(ROUNDS):
        before = m
        m, forced = inside(candidates, node, members, m)
        if forced < 0 or m == 0 or not snap(candidates, node, members, m):
            return 0, size, heaviest
        padded, shortest = node[BOX], 0
        while candidates.lengths[shortest] < node[BOX + 2]:
            shortest += 1
        if experts:
            _live_range(candidates, members, m, forced, live)
        linear_time(candidates, waits, live[0], live[1], padded, first, table)
        scale = -node[BOX + 4] - table[2, shortest]
        if scale <= 0:
            return 0, size, heaviest
        price(candidates, members, m, padded, shortest, first, table, scale, cost)
        m = drop_dear(members, m, cost, room)
        if m == 0:
            return 0, size, heaviest
        count, fixed = 0, 0.0
        for p in range(m):
            weight[p] = worth[members[p] >> 1]
            if members[p] & 1:
                fixed += weight[p]
                trial[count] = members[p] >> 1
                count += 1
        if count and not is_feasible(candidates, trial, count):
            return 0, size, heaviest
        if count and fixed > heaviest:
            size, heaviest = count, fixed
            for j in range(count):
                batch[j] = trial[j]
        if count == m:
            return 0, size, heaviest
        for p in range(m):
            place[members[p] >> 1] = p
        for r in range(4):
            basis[r] = node[BASIS + r]
            if basis[r] >= 0:
                p = place[basis[r]]
                basis[r] = p if p >= 0 and not members[p] & 1 else -1 - r
        cut = cut_of(heaviest, spare)
        bound = fixed + relax(cost, weight, members, m, room, basis, prices, reduced, share, cut - fixed) * (
            1 + MARGIN
        )
        for r in range(4):
            node[BASIS + r] = members[basis[r]] >> 1 if basis[r] >= 0 else basis[r]
        node[BOUND] = min(node[BOUND], bound)
        if bound <= cut or stopped[0]:
            return (0 if bound <= cut else m), size, heaviest
        m, bound, moved = tighten(
            candidates,
            node,
            members,
            m,
            reduced,
            place,
            keep,
            bound,
            cut,
            prices,
            scale,
            first,
            table,
            shortest,
            target,
            cost,
            weight,
            share,
        )
        node[BOUND] = min(node[BOUND], bound)
        if m == 0:
            return 0, size, heaviest
        number = 0.0
        for p in range(m):
            number += share[p]
            weight[p] = -reduced[p] if not members[p] & 1 else 0.0
        found = round_up(candidates, target, members, m, weight, int(number), trial, 0)
        value = weight_of(worth, trial, found)
        if value > heaviest:
            size, heaviest = found, value
            for j in range(found):
                batch[j] = trial[j]
            if bound <= cut_of(heaviest, spare):
                return 0, size, heaviest
            moved = True
        estimate_waits(candidates, members, m, number, share, padded, live[0, :last], waits)
        if not moved and m > (1 - ENOUGH) * before:
            break
    # the last round has priced and bounded all members that are left
    free = 0
    for p in range(m):
        free += not members[p] & 1
    if free == 0:
        count = 0
        for p in range(m):
            trial[p] = members[p] >> 1
        value = weight_of(worth, trial, m)
        if value > heaviest and is_feasible(candidates, trial, m):
            size, heaviest = m, value
            for j in range(m):
                batch[j] = trial[j]
        return 0, size, heaviest
    _choose_split(
        candidates,
        node,
        members,
        m,
        worth,
        cost,
        share,
        bound - cut_of(heaviest, spare),
        prices,
        scale,
        first,
        table,
        shortest,
    )
    return m, size, heaviest


@compiled(error_model="numpy", inner=True)
def _live_range(candidates, members, m, forced, live):  # type: ignore[no-untyped-def]
    """Fill the range of the requests live up to each length, and of those in the first stage."""
    last = candidates.lengths.size
    live[0, last], live[1, last] = max(1, forced), m
    p, must, every = m - 1, 0, 0
    for r in range(last - 1, -1, -1):
        while p >= 0 and candidates.rank[members[p] >> 1] >= r:
            must += members[p] & 1
            every += 1
            p -= 1
        live[0, r], live[1, r] = live[0, last], m
        if not candidates.prices.batch_max:
            live[0, r] = max(1, must)
            live[1, r] = max(1, every)


@compiled(error_model="numpy", inner=True)
def _choose_split(  # type: ignore[no-untyped-def]
    candidates, node, members, m, worth, cost, share, gap, prices, scale, first, table, shortest
):
    """Split at a corner that the relaxation does not keep, or at a member that it takes in part.

    The largest values of what the relaxation takes are a corner. What a dimension adds to the time and the
    tokens of its share of the members, at that corner, is weighed by the prices, and by a part of the bound
    where the budget is exceeded.
    """
    corner, more_s, more_tokens = np.empty(3), np.zeros(3), np.zeros(3)
    time, tokens, number, part = -1.0, -1.0, 0.0, False
    for other in range(3):
        corner[other] = node[BOX + 2 * other]
    for p in range(m):
        if share[p] > 0:
            time += share[p] * cost[3, p]
            tokens += share[p] * cost[2, p]
            number += share[p] * worth[members[p] >> 1]
            part |= share[p] < 1
            for other in range(3):
                corner[other] = max(corner[other], candidates.value[other, members[p] >> 1])
    more_s[DEADLINE] = (corner[DEADLINE] - node[BOX + 4]) / scale
    top = shortest
    while candidates.lengths[top] < corner[OUTPUT]:
        top += 1
    more_s[OUTPUT] = (table[2, top] - table[2, shortest]) / scale
    per_token = 1 / candidates.prices.memory_tokens
    for other in range(OUTPUT + 1 if candidates.prices.batch_max else PROMPT + 1):
        at = corner[PROMPT] if other == PROMPT else float(top)
        if corner[other] == node[BOX + 2 * other]:
            continue
        for p in range(m):
            if share[p] > 0:
                i = members[p] >> 1
                more_s[other] += share[p] * extra_cost(
                    candidates, node, other, at, i, first, table, shortest, 0.0, 1 / scale
                )
                more_tokens[other] += share[p] * extra_cost(
                    candidates, node, other, at, i, first, table, shortest, per_token, 0.0
                )
    time += more_s[0] + more_s[1] + more_s[2]
    tokens += more_tokens[0] + more_tokens[1] + more_tokens[2]
    a = max(0.0, prices[3]) + (EXCEEDED * number if time > 0 else 0.0)
    b = max(0.0, prices[2]) + (EXCEEDED * number if tokens > 0 else 0.0)
    dimension, loosest = MEMBER, LOOSE * gap if part else -1.0
    for other in range(3):
        loose = a * more_s[other] + b * more_tokens[other]
        if loose > loosest and node[BOX + 2 * other] < corner[other]:
            dimension, loosest = other, loose
    node[DIMENSION] = dimension
    if dimension != MEMBER:
        least, most = node[BOX + 2 * dimension], corner[dimension]
        node[VALUE] = (least + most) / 2 if (least + most) / 2 < most else least
        return
    best = -1.0
    for p in range(m):
        if not members[p] & 1:
            score = (share[p] * (1 - share[p]) + 1e-9 * (1 + share[p])) * worth[members[p] >> 1]
            if score > best:
                node[VALUE], best = p, score
