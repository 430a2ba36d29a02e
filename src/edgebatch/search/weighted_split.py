"""How a box with weights is split."""

from __future__ import annotations

import numpy as np

from edgebatch.search.box import BOX, DEADLINE, DIMENSION, MEMBER, OUTPUT, PROMPT, VALUE
from edgebatch.search.jit import compiled
from edgebatch.search.weighted_corners import extra_cost

LOOSE, EXCEEDED = 0.2, 0.3
"""A box is split at a corner that costs more than the first share of the distance between bound and cut. A
budget that is exceeded costs the second share of all weight, for each time the budget."""


@compiled(error_model="numpy", inner=True)
def choose_split(  # type: ignore[no-untyped-def]
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
