"""Sweeps: which members of a box can set a corner of a large enough batch."""

from __future__ import annotations

import numpy as np

from edgebatch.search.heap import rise, sink
from edgebatch.search.jit import compiled

PROMPT, OUTPUT = 0, 1
BOX = 6


@compiled(error_model="numpy", inner=True)
def corner_cost(  # type: ignore[no-untyped-def]
    candidates, node, dimension, first, table, shortest, fewest, k, at, r, memory, time
):
    """What the surrogate budget of k requests loses, at least, if the largest value is `at`, of rank r."""
    padded, shared = node[BOX], candidates.prices.batch_max
    if dimension == PROMPT:
        rising = memory + time * (first[0] + first[1] * (at + padded))
        return k * (at - padded) * (rising + time * table[1, max(shortest, fewest) if shared else fewest])
    if dimension != OUTPUT:
        return time * (at - node[BOX + 4])
    lost = time * (table[2, r] - table[2, shortest])
    if shared:
        longer = memory * (candidates.lengths[r] - candidates.lengths[shortest])
        longer += time * (table[0, r] - table[0, shortest])
        lost += k * (longer + time * padded * (table[1, r] - table[1, shortest]))
    return lost


@compiled(error_model="numpy", inner=True)
def sweep(  # type: ignore[no-untyped-def]
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
    memory,
    time,
    whole,
    first,
    table,
    shortest,
):
    """Test each member as the one whose value in `dimension` is its batch's largest.

    One pass by rising value with the cheapest free members so far in a heap, O(m log k). All are priced at
    the cheapest corner in this dimension; the member that is last in the pass takes the budget that its own
    value leaves. A member stays if it can be last, or if it can take the place of the dearest of a batch with
    a later last.

    Parameters
    ----------
    weight
        Surrogate cost of each member at its own corner, shape (m,).
    forced
        How many members must be chosen.
    place
        Place of each candidate among the members, -1 if it is none.
    keep
        Set to false for members that are in no batch.
    memory, time
        Multipliers of a token of memory and of a second.
    whole
        The surrogate budget at the cheapest corner.

    Returns
    -------
    low, high, best
        Members of least and most value that can be last, -1 if none can, and the one that leaves most of the
        budget.
    """
    order, budget, base = np.empty(m, np.int64), np.empty(m), np.empty(m)
    heap, reach, free = np.empty(k - forced + 1), np.empty(m), k - forced
    low, high, best, most, q = -1, -1, -1, -1.0, 0
    # of a type, not a literal, so that `rise` is compiled once
    size, total, padded = np.int64(0), 0.0, node[BOX]
    shared, fewest = candidates.prices.batch_max, candidates.rank[members[0] >> 1]
    for j in range(candidates.rank.size):
        if candidates.order[dimension, j] < 0:
            break
        p = place[candidates.order[dimension, j]]
        if p < 0:
            continue
        order[q] = p
        q += 1
        i = members[p] >> 1
        at, s, r = (
            candidates.value[dimension, i],
            max(padded, candidates.value[PROMPT, i]),
            candidates.rank[i],
        )
        own, lost = 0.0, 0.0
        if dimension == PROMPT:
            rising = memory + time * (first[0] + first[1] * (s + padded))
            own = (s - padded) * (rising + time * table[1, max(shortest, r) if shared else r])
            lost = k * (s - padded) * (rising + time * table[1, max(shortest, fewest) if shared else fewest])
        elif dimension == OUTPUT:
            lost = time * (table[2, r] - table[2, shortest])
            if shared and r > shortest:
                longer = memory * (candidates.lengths[r] - candidates.lengths[shortest])
                longer += time * (table[0, r] - table[0, shortest])
                growing = time * (table[1, r] - table[1, shortest])
                own, lost = longer + growing * s, lost + k * (longer + growing * padded)
        else:
            lost = time * (at - node[BOX + 4])
        base[p], budget[p] = weight[p] - own, whole - lost
        if at < node[BOX + 2 * dimension]:
            budget[p] = -np.inf
        if members[p] & 1:
            total += base[p]
    for q in range(m):
        p = order[q]
        must, left, dearest, reach[q] = members[p] & 1, budget[p] - total, -np.inf, -np.inf
        if size > 0:
            dearest = heap[0]
        if not must:
            left -= base[p]
            if size == free:
                left += heap[0]
                dearest = max(heap[1], heap[2] if size > 2 else -np.inf) if size > 1 else -np.inf
        if left >= 0 and size >= (free if must else free - 1):
            reach[q] = left + dearest
            low = p if low < 0 else low
            high = p
            if left > most:
                best, most = p, left
        else:
            budget[p] = -np.inf
        if not must:
            if size < free:
                rise(heap, size, base[p])
                size += 1
                total += base[p]
            elif base[p] < heap[0]:
                total += base[p] - heap[0]
                sink(heap, size, base[p])
    farthest = -np.inf
    for q in range(m - 1, -1, -1):
        p = order[q]
        keep[p] &= budget[p] > -np.inf or base[p] <= farthest
        farthest = max(farthest, reach[q])
    return low, high, best
