"""Branch and bound over boxes, best first: the largest batch under any cost model, paddings and billings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.batch_cost import count_waits
from edgebatch.search.box import DEADLINE, LEAST, MEMBER, MOST, OUTPUT, examine
from edgebatch.search.game import FEASIBLE, INFEASIBLE
from edgebatch.search.jit import compiled

MOST_BEST_FIRST = 2000
"""With more open nodes than this, the newest is next, so that they take no more memory."""


class Limits(NamedTuple):
    """When to end a search.

    Attributes
    ----------
    node_limit
        No more nodes than this are visited.
    stopped
        Another thread sets it when the time is up, shape (1,).
    """

    node_limit: int
    stopped: NDArray[np.bool_]


@compiled(error_model="numpy", nogil=True)
def largest_batch(candidates, best, limits):  # type: ignore[no-untyped-def]
    """Fill `best` with the largest batch.

    Returns
    -------
    size, bound, nodes
        Size of the batch; upper bound on any; nodes visited, the first not counted.
    """
    total, last = candidates.rank.size, candidates.lengths.size
    size, nodes, bound, opened, top, newest = 0, 0, 0, 0, 0, 1
    batch, members = np.empty(total + 1, np.int64), np.empty(total, np.int64)
    record, arena = np.zeros(total + last + 1), np.empty(4 * (total + last + 1))
    waits, box, multipliers = np.zeros(last + 1), np.empty((3, 2)), np.full(4, 0.25)
    # of an open node: box, multipliers, gap, bound, what to split at; place and members of its record
    heads, start, held = np.empty((64, 14)), np.empty(64, np.int64), np.empty(64, np.int64)
    head = np.zeros(14)
    # candidates are at hand by prompt and by deadline
    head[0], head[1] = candidates.prompt[candidates.by_prompt[0]], candidates.prompt[candidates.by_prompt[-1]]
    head[4] = candidates.deadline_s[candidates.by_deadline[-1]]
    head[3], head[5] = last - 1, candidates.deadline_s[candidates.by_deadline[0]]
    if candidates.prices.padding > 0:
        head[0] = head[1] = candidates.prices.padding
    head[6:10], head[11], m = 0.25, total, total
    for i in range(total):
        record[i] = 2 * i
    children = 1
    count_waits(candidates, waits[:last] * 0, 0.0, head[0], record[total:])
    while True:
        better, gap = -1, -1.0
        for child in range(children):
            if nodes >= limits.node_limit or (limits.stopped[0] and children == 2):
                bound = max(bound, int(head[11]))
                break
            nodes += children - 1
            count, dimension = m, int(head[12])
            for p in range(m):
                members[p] = int(record[p])
            waits[:] = record[m : m + last + 1]
            box[:] = head[:6].reshape(3, 2)
            multipliers[:] = head[6:10]
            if children == 2:
                count = _restrict(candidates, box, members, m, dimension, head[13], child)
            while True:
                outcome, count, found, left, most, dimension, value = examine(
                    candidates, box, members, count, multipliers, waits, size + 1, batch, limits.stopped
                )
                if outcome != FEASIBLE:
                    break
                size = found
                best[:size] = batch[:size]
            if outcome == INFEASIBLE:
                continue
            if opened == held.size:
                heads = np.concatenate((heads, heads))
                start, held = np.concatenate((start, start)), np.concatenate((held, held))
            if top + count + last + 1 > arena.size:
                arena, top = _compacted(arena, start, held, opened, last + 1, count)
            for p in range(count):
                arena[top + p] = members[p]
            arena[top + count : top + count + last + 1] = waits
            heads[opened, :6] = box.reshape(6)
            heads[opened, 6:10] = multipliers
            heads[opened, 10], heads[opened, 11] = left, min(most, int(head[11]))
            heads[opened, 12], heads[opened, 13] = dimension, value
            start[opened], held[opened] = top, count
            top += count + last + 1
            if left > gap:
                better, gap = opened, left
            opened += 1
        children = 2
        if better < 0 and opened > 0:
            better = opened - 1
            if opened < MOST_BEST_FIRST:
                better = int(np.argmax(heads[:opened, 10]))
        if opened == 0 or limits.stopped[0] or nodes >= limits.node_limit:
            break
        head[:], m = heads[better], held[better]
        record[: m + last + 1] = arena[start[better] : start[better] + m + last + 1]
        opened -= 1
        heads[better], start[better], held[better] = heads[opened], start[opened], held[opened]
    for node in range(opened):
        bound = max(bound, int(heads[node, 11]))
    return size, max(bound, size), nodes


@compiled(error_model="numpy", inner=True)
def _compacted(arena, start, held, opened, more, count):  # type: ignore[no-untyped-def]
    """The records of open nodes alone, with room for as much again, and where they end."""
    total = 0
    for node in range(opened):
        total += held[node] + more
    result, top = np.empty(2 * (total + 2 * (count + more)) + 4096), 0
    for node in range(opened):
        length = held[node] + more
        result[top : top + length] = arena[start[node] : start[node] + length]
        start[node] = top
        top += length
    return result, top


@compiled(error_model="numpy", inner=True)
def _restrict(candidates, box, members, m, dimension, value, child):  # type: ignore[no-untyped-def]
    """Restrict a node to one of its two children; return how many members are left.

    A batch without a member has none that it dominates: a batch with one of those may take it instead.
    """
    if dimension != MEMBER:
        lower = child == (1 if dimension == DEADLINE else 0)
        if lower:
            box[dimension, MOST] = value
        elif dimension == DEADLINE:
            box[dimension, LEAST] = np.nextafter(value, np.inf)
        else:
            box[dimension, LEAST] = np.floor(value) + 1
        return m
    at = int(value)
    if child == 0:
        members[at] |= 1
        return m
    count, i, prices = 0, members[at] >> 1, candidates.prices
    s, n = max(candidates.prompt[i], box[0, LEAST]), candidates.rank[i]
    for p in range(m):
        j = members[p] >> 1
        worse = candidates.uplink[i] <= candidates.uplink[j] and candidates.downlink[i] <= candidates.downlink[j]
        if worse and candidates.uplink[i] == candidates.uplink[j] and candidates.downlink[i] == candidates.downlink[j]:
            worse = i < j
        worse = worse and s <= max(candidates.prompt[j], box[0, LEAST])
        worse = worse and (n <= candidates.rank[j] or (prices.batch_max and n <= box[OUTPUT, LEAST]))
        worse = worse and candidates.deadline_s[i] >= min(candidates.deadline_s[j], box[DEADLINE, MOST])
        if p != at and (not worse or members[p] & 1):
            members[count] = members[p]
            count += 1
    return count
