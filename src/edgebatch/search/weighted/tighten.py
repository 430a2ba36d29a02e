"""Shrinking a box with weights: its corners, and the members that its bound decides."""

from __future__ import annotations

import numpy as np

from edgebatch.search.boxes.box import BOX, OUTPUT
from edgebatch.search.boxes.game import MARGIN
from edgebatch.search.jit import compiled
from edgebatch.search.weighted.corners import shrink


@compiled(error_model="numpy", inner=True)
def tighten(  # type: ignore[no-untyped-def]
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
):
    """Shrink the box in each dimension, and fix the members that the bound decides.

    Returns
    -------
    m, bound, moved
        Members left, 0 if the box has no batch above the cut; a bound; whether a corner moved.
    """
    moved, last, least_bound = False, table.shape[1] - 1, bound
    memory = max(0.0, prices[2]) / candidates.prices.memory_tokens
    time = max(0.0, prices[3]) / scale
    for p in range(m):
        keep[p] = True
    for dimension in range(3):
        least = BOX + 2 * dimension
        target[dimension] = node[least + 1]
        flat = dimension == OUTPUT and table[2, last] == table[2, 0] and not candidates.prices.batch_max
        if flat or node[least] == node[least + 1]:
            continue
        width = node[least + 1] - node[least]
        most, target[dimension] = shrink(
            candidates,
            node,
            dimension,
            members,
            m,
            reduced,
            place,
            keep,
            bound,
            cut,
            memory,
            time,
            first,
            table,
            shortest,
        )
        least_bound = min(least_bound, most)
        if most <= cut:
            return 0, most, False
        moved |= node[least + 1] - node[least] < 0.6 * width
    count = 0
    for p in range(m):
        place[members[p] >> 1] = -1
    for p in range(m):
        if not members[p] & 1:
            if not keep[p] or bound + min(0.0, reduced[p]) <= cut:
                continue
            if bound - reduced[p] <= cut:
                members[p] |= 1
                moved = True
        members[count], reduced[count], share[count], weight[count] = (
            members[p],
            reduced[p],
            share[p],
            weight[p],
        )
        for r in range(4):
            cost[r, count] = cost[r, p]
        count += 1
    return count, least_bound, moved


@compiled(error_model="numpy", inner=True)
def snap(candidates, node, members, m):  # type: ignore[no-untyped-def]
    """Move the corners of a box to values of its members; return whether each corner has one."""
    for dimension in range(3):
        least, low, high = node[BOX + 2 * dimension], np.inf, -np.inf
        for p in range(m):
            at = candidates.value[dimension, members[p] >> 1]
            high = max(high, at)
            if at >= least:
                low = min(low, at)
        if low == np.inf:
            return False
        node[BOX + 2 * dimension], node[BOX + 2 * dimension + 1] = low, high
    return True


@compiled(error_model="numpy", inner=True)
def drop_dear(members, m, cost, room):  # type: ignore[no-untyped-def]
    """Fill what the chosen leave of the budgets, and drop members that need more; return how many are left.

    None is left if the chosen do not fit.
    """
    for r in range(4):
        room[r] = 1.0
    for p in range(m):
        if members[p] & 1:
            for r in range(4):
                room[r] -= cost[r, p]
    for r in range(4):
        if room[r] < -MARGIN:
            return 0
        room[r] = max(0.0, room[r]) + MARGIN
    count = 0
    for p in range(m):
        if members[p] & 1 or (
            cost[0, p] <= room[0]
            and cost[1, p] <= room[1]
            and cost[2, p] <= room[2]
            and cost[3, p] <= room[3]
        ):
            members[count] = members[p]
            for r in range(4):
                cost[r, count] = cost[r, p]
            count += 1
    return count
