"""The members of a box: which are inside it, what they cost at its cheapest corner, how its steps wait."""

from __future__ import annotations

from edgebatch.search.batch_cost import count_waits
from edgebatch.search.jit import compiled

PROMPT = 0
BOX = 6
"""Where the least and the most of each value stand in a node, as of `edgebatch.search.boxes.box`."""


@compiled(error_model="numpy", inner=True)
def inside(candidates, node, members, m):  # type: ignore[no-untyped-def]
    """Drop members outside a box; return how many are left and must be chosen, -1 of these if it is empty."""
    value, count, forced = candidates.value, 0, 0
    for p in range(m):
        i, must, fits = members[p] >> 1, members[p] & 1, True
        for dimension in range(3):
            fits &= value[dimension, i] <= node[BOX + 2 * dimension + 1]
            if must:
                least = BOX + 2 * dimension
                node[least] = max(node[least], value[dimension, i])
        if fits:
            members[count] = members[p]
            count += 1
            forced += must
        elif must:
            return 0, -1
    for dimension in range(3):
        if node[BOX + 2 * dimension] > node[BOX + 2 * dimension + 1]:
            return 0, -1
    return count, forced


@compiled(error_model="numpy", inner=True)
def price(candidates, members, m, padded, shortest, first, table, scale, cost):  # type: ignore[no-untyped-def]
    """Fill `cost` with each member's shares of the four budgets, at the cheapest corner or its own."""
    for p in range(m):
        i = members[p] >> 1
        s, r = max(padded, candidates.value[PROMPT, i]), candidates.rank[i]
        r = max(shortest, r) if candidates.prices.batch_max else r
        cost[0, p], cost[1, p] = candidates.uplink[i], candidates.downlink[i]
        cost[2, p] = (s + candidates.lengths[r]) / candidates.prices.memory_tokens
        seconds = (first[0] + first[1] * s) * s + first[2] + table[0, r] + table[1, r] * s
        cost[3, p] = seconds / scale


@compiled(error_model="numpy", inner=True)
def estimate_waits(candidates, members, m, k, share, padded, live, waits):  # type: ignore[no-untyped-def]
    """Fill `waits` with the steps in which the mixture of the relaxation waits for memory."""
    total, p = 0.0, m - 1
    for r in range(candidates.lengths.size - 1, -1, -1):
        while p >= 0 and candidates.rank[members[p] >> 1] >= r:
            total += share[p]
            p -= 1
        live[r] = k if candidates.prices.batch_max else total
    count_waits(candidates, live, float(k), padded, waits)
