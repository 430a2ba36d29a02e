"""The corners of a box with weights: which values can be the largest of a batch that is heavy enough.

The prices of the relaxation bound the weight of the batches whose largest value in one dimension is a given
one: those have fewer members to choose from, and less room, or dearer members. The box shrinks to the values
whose bound is above the cut.
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.jit import compiled

PROMPT, OUTPUT, DEADLINE = 0, 1, 2
BOX = 6

SAMPLES = 6
"""Values between the ends of a box that are tried as targets where each of them prices all members anew."""


@compiled(error_model="numpy", inner=True)
def extra_cost(candidates, node, dimension, at, i, first, table, shortest, memory, time):  # type: ignore[no-untyped-def]
    """What candidate `i` costs more if the largest value of its batch is `at`, not the least of the box.

    Parameters
    ----------
    at
        Padded prompt in tokens, or the rank of the longest output where all are billed that.
    memory, time
        Prices of a token of memory and of a second.
    """
    s, r = max(node[BOX], candidates.value[PROMPT, i]), candidates.rank[i]
    if dimension == PROMPT:
        r = max(shortest, r) if candidates.prices.batch_max else r
        return (at - s) * (memory + time * (first[0] + first[1] * (at + s) + table[1, r]))
    r, to = max(shortest, r), int(at)
    longer = memory * (candidates.lengths[to] - candidates.lengths[r])
    return longer + time * (table[0, to] - table[0, r] + (table[1, to] - table[1, r]) * s)


@compiled(error_model="numpy", inner=True)
def shrink(  # type: ignore[no-untyped-def]
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
):
    """Shrink a box in one dimension, and drop the members that are in no batch above the cut.

    Parameters
    ----------
    reduced
        Weight of each free member less what it costs at the prices, shape (m,).
    place
        Place of each candidate among the members, -1 if it is none.
    keep
        Set to false for members that are in no batch.
    bound
        Upper bound on the weight of a batch of the box.

    Returns
    -------
    most, target
        Upper bound on the weight by the best corner, at most the cut if there is none above it; and the
        value of that corner.
    """
    order, above, tested = np.empty(m, np.int64), np.empty(m), np.zeros(m, np.bool_)
    least, count, left = BOX + 2 * dimension, 0, 0.0
    for j in range(candidates.rank.size):
        if candidates.order[dimension, j] < 0:
            break
        p = place[candidates.order[dimension, j]]
        if p >= 0:
            order[count] = p
            count += 1
    for p in range(m):
        if not members[p] & 1 and reduced[p] > 0:
            left += reduced[p]
    repriced = dimension == PROMPT or candidates.prices.batch_max
    repriced &= dimension != DEADLINE
    start, wanted, low, high, most, best, target = 0, 0, np.inf, -np.inf, cut, cut, node[least]
    # members of one value stand together; without those of larger values a batch loses what is left
    while start < m:
        at, end, joins = candidates.value[dimension, members[order[start]] >> 1], start, -np.inf
        while end < m and candidates.value[dimension, members[order[end]] >> 1] == at:
            p = order[end]
            joins = max(joins, 0.0 if members[p] & 1 else min(0.0, reduced[p]))
            if not members[p] & 1 and reduced[p] > 0:
                left -= reduced[p]
            end += 1
        here, r = bound - left + joins, candidates.rank[members[order[start]] >> 1]
        if dimension == DEADLINE:
            here -= time * (at - node[least])
        elif dimension == OUTPUT:
            here -= time * (table[2, r] - table[2, shortest])
        if at < node[least]:
            here = -np.inf
        test = repriced and here > cut and (low == np.inf or start >= wanted)
        if test:
            here -= _reprice(
                candidates,
                node,
                dimension,
                members,
                reduced,
                order,
                end,
                first,
                table,
                shortest,
                memory,
                time,
            )
            wanted = start + m // SAMPLES
        for q in range(start, end):
            above[q], tested[q] = here - joins, test
        if here > cut:
            low, high, most = min(low, at), at, max(most, here)
        if here > best and (test or not repriced):
            best, target = here, at
        start = end
    if repriced:
        high = _lower_top(
            candidates,
            node,
            dimension,
            members,
            m,
            reduced,
            order,
            above,
            tested,
            cut,
            first,
            table,
            shortest,
            memory,
            time,
        )
    farthest = -np.inf
    for q in range(m - 1, -1, -1):
        p = order[q]
        farthest = max(farthest, above[q])
        if not members[p] & 1 and farthest + min(0.0, reduced[p]) <= cut:
            keep[p] = False
    node[least], node[least + 1] = low, high
    return (most if high >= low else cut), target


@compiled(error_model="numpy", inner=True)
def _lower_top(  # type: ignore[no-untyped-def]
    candidates,
    node,
    dimension,
    members,
    m,
    reduced,
    order,
    above,
    tested,
    cut,
    first,
    table,
    shortest,
    memory,
    time,
):
    """The largest value that is above the cut with all members priced anew; -inf if none is."""
    q = m - 1
    while q >= 0:
        at, start = candidates.value[dimension, members[order[q]] >> 1], q
        while start > 0 and candidates.value[dimension, members[order[start - 1]] >> 1] == at:
            start -= 1
        joins = -np.inf
        for other in range(start, q + 1):
            p = order[other]
            joins = max(joins, 0.0 if members[p] & 1 else min(0.0, reduced[p]))
        if not tested[q] and above[q] + joins > cut:
            lost = _reprice(
                candidates,
                node,
                dimension,
                members,
                reduced,
                order,
                q + 1,
                first,
                table,
                shortest,
                memory,
                time,
            )
            for other in range(start, q + 1):
                above[other] -= lost
        if above[q] + joins > cut:
            return at
        q = start - 1
    return -np.inf


@compiled(error_model="numpy", inner=True)
def _reprice(  # type: ignore[no-untyped-def]
    candidates, node, dimension, members, reduced, order, end, first, table, shortest, memory, time
):
    """What a bound loses if the first `end` members in order are priced at the value of the last of them."""
    i, lost = members[order[end - 1]] >> 1, 0.0
    at = candidates.value[PROMPT, i] if dimension == PROMPT else float(candidates.rank[i])
    for q in range(end):
        p = order[q]
        if not members[p] & 1 and reduced[p] <= 0:
            continue
        extra = extra_cost(
            candidates, node, dimension, at, members[p] >> 1, first, table, shortest, memory, time
        )
        lost += extra if members[p] & 1 else min(extra, reduced[p])
    return lost
