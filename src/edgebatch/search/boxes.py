"""Branch and bound over boxes, best first: the largest batch under any cost model, paddings and billings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.batch_cost import Candidates, Prices, count_waits
from edgebatch.search.box import DEADLINE, LEAST, MEMBER, MOST, OUTPUT, examine
from edgebatch.search.game import FEASIBLE, INFEASIBLE
from edgebatch.search.jit import compiled

START, HELD, GAP, BOUND, DIMENSION, VALUE, BOX, MULTIPLIERS, WAITS = 0, 1, 2, 3, 4, 5, 6, 12, 16
"""What the columns of an open node's row are, or where they begin: where its members are and how many, the rest
as of `examine`."""

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
    size, nodes, bound, opened, top, width = 0, 0, 0, 0, 0, WAITS + last + 1
    batch, members, parent = np.empty(total + 1, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    box, multipliers, waits = np.empty((3, 2)), np.empty(4), np.zeros(last + 1)
    # a row for each open node, as of `START`; their members, one node after the other
    rows, arena = np.empty((64, width)), np.empty(4 * total, np.int64)
    node = np.zeros(width)
    for i in range(total):
        parent[i] = 2 * i
    node[HELD], node[BOUND] = total, total
    # candidates are at hand by prompt and by deadline
    node[BOX], node[BOX + 1] = candidates.prompt[candidates.by_prompt[0]], candidates.prompt[candidates.by_prompt[-1]]
    if candidates.prices.padding > 0:
        node[BOX] = node[BOX + 1] = candidates.prices.padding
    node[BOX + 3], node[BOX + 4] = last - 1, candidates.deadline_s[candidates.by_deadline[-1]]
    node[BOX + 5] = candidates.deadline_s[candidates.by_deadline[0]]
    for r in range(4):
        node[MULTIPLIERS + r] = 0.25
    count_waits(candidates, np.zeros(last), 0.0, node[BOX], waits)
    for r in range(last + 1):
        node[WAITS + r] = waits[r]
    children = 1
    while True:
        better = -1
        for child in range(children):
            if nodes >= limits.node_limit or (limits.stopped[0] and children == 2):
                bound = max(bound, int(node[BOUND]))
                break
            nodes += children - 1
            count = int(node[HELD])
            for p in range(count):
                members[p] = parent[p]
            for r in range(6):
                box[r // 2, r % 2] = node[BOX + r]
            for r in range(4):
                multipliers[r] = node[MULTIPLIERS + r]
            for r in range(last + 1):
                waits[r] = node[WAITS + r]
            if children == 2:
                count = _restrict(candidates, box, members, count, int(node[DIMENSION]), node[VALUE], child)
            while True:
                outcome, count, found, gap, most, dimension, value = examine(
                    candidates, box, members, count, multipliers, waits, size + 1, batch, limits.stopped
                )
                if outcome != FEASIBLE:
                    break
                size = found
                for j in range(size):
                    best[j] = batch[j]
            if outcome == INFEASIBLE:
                continue
            if opened == rows.shape[0]:
                more = np.empty((2 * opened, width))
                for p in range(opened):
                    for r in range(width):
                        more[p, r] = rows[p, r]
                rows = more
            if top + count > arena.size:
                arena, top = _compacted(rows, opened, arena, count)
            for p in range(count):
                arena[top + p] = members[p]
            rows[opened, START], rows[opened, HELD], rows[opened, GAP] = top, count, gap
            rows[opened, BOUND] = min(most, int(node[BOUND]))
            rows[opened, DIMENSION], rows[opened, VALUE] = dimension, value
            for r in range(6):
                rows[opened, BOX + r] = box[r // 2, r % 2]
            for r in range(4):
                rows[opened, MULTIPLIERS + r] = multipliers[r]
            for r in range(last + 1):
                rows[opened, WAITS + r] = waits[r]
            if children == 1:
                _keep(candidates.by_prompt, members, count, batch)
                _keep(candidates.by_deadline, members, count, batch)
            if better < 0 or gap > rows[better, GAP]:
                better = opened
            top += count
            opened += 1
        children = 2
        if opened == 0 or limits.stopped[0] or nodes >= limits.node_limit:
            break
        if better < 0:
            better = opened - 1
            if opened < MOST_BEST_FIRST:
                for p in range(opened):
                    if rows[p, GAP] > rows[better, GAP]:
                        better = p
        opened -= 1
        for r in range(width):
            node[r], rows[better, r] = rows[better, r], rows[opened, r]
        for p in range(int(node[HELD])):
            parent[p] = arena[int(node[START]) + p]
    for p in range(opened):
        bound = max(bound, int(rows[p, BOUND]))
    return size, max(bound, size), nodes


@compiled(error_model="numpy", inner=True)
def _keep(order, members, count, kept):  # type: ignore[no-untyped-def]
    """Drop candidates that are not among the first `count` members from an order, which then ends with -1."""
    for i in range(order.size):
        kept[i] = 0
    for p in range(count):
        kept[members[p] >> 1] = 1
    end = 0
    for j in range(order.size):
        if kept[order[j]]:
            order[end] = order[j]
            end += 1
    if end < order.size:
        order[end] = -1


@compiled(error_model="numpy", inner=True)
def _compacted(rows, opened, arena, count):  # type: ignore[no-untyped-def]
    """The members of open nodes alone, with room for `count` more and as much again, and where they end."""
    total, top = count, 0
    for node in range(opened):
        total += int(rows[node, HELD])
    result = np.empty(2 * total, np.int64)
    for node in range(opened):
        start = int(rows[node, START])
        rows[node, START] = top
        for p in range(int(rows[node, HELD])):
            result[top] = arena[start + p]
            top += 1
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


def compile_search() -> None:
    """Compile the search before its clock starts: that takes seconds and cannot be interrupted."""
    alone, nobody, first = np.ones(1), np.zeros(1, np.int64), np.zeros(1, np.int64)
    prices = Prices(False, *np.zeros(len(Prices._fields) - 1).tolist())
    candidates = Candidates(alone, alone, alone, alone, nobody, first, first, alone, prices)
    largest_batch(candidates, np.empty(1, np.int64), Limits(0, np.ones(1, np.bool_)))
