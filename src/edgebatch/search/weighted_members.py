"""The members of a box with weights: where its corners can be, how many are live, and who still fits."""

from __future__ import annotations

import numpy as np

from edgebatch.search.box import BOX
from edgebatch.search.game import MARGIN
from edgebatch.search.jit import compiled


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
def live_range(candidates, members, m, forced, live):  # type: ignore[no-untyped-def]
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
def drop_dear(members, m, cost, room):  # type: ignore[no-untyped-def]
    """Fill what the chosen leave of the budgets, and drop the members that need more.

    Returns
    -------
    int
        Members left; 0 if the chosen do not fit.
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
