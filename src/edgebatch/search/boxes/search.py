"""Branch and bound over boxes, best first: a largest batch under any cost model, padding and billing.

Three values of a batch make its cost non-linear: its padded prompt, its longest output, and its deadline. A
box is a range of each. The search asks for a batch of at least k, one more than the best so far, and drops
the boxes that have none. Why none is lost:

1. To drop a request from a feasible batch leaves it feasible. So if there is a batch of at least k, there is
   one of exactly k.
2. Every batch of a box takes, in each row of the relaxation, at least the sum of its members' prices at the
   cheapest corner (or at a member's own values, where these are larger), and the rows' budgets are those of
   the loosest corner. For time this holds whatever steps are taken as waiting for memory (`batch_cost`).
3. So the k cheapest by any multipliers >= 0 cost no more than any batch of at least k. If they exceed the
   surrogate budget, the box has none (`game`). By the same argument a member that is too dear is in none, one
   that is cheap enough is in all, and one that leaves too little budget sets no corner (`sweep`).
4. In each of the three dimensions, one member of a batch is last in order. If a single member can be, it is
   chosen; if none can, the box is empty.
5. The two halves of a box hold all its batches, and so do the two children of a branching on a member:
   with it, and without it and all that it dominates. Of the largest batches take one of least shares, and
   then of least positions: it holds no member that is dominated by one outside it.
6. All that was refuted for k is refuted for more, so that nodes stay as they are when a batch is found.
7. A node whose members are all chosen is priced exactly. So the search ends, and with the optimum.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.batch_cost import Candidates, Prices, count_waits
from edgebatch.search.boxes.box import (
    BOUND,
    BOX,
    DIMENSION,
    GAP,
    HELD,
    MEMBER,
    MULTIPLIERS,
    START,
    VALUE,
    WAITS,
    examine,
)
from edgebatch.search.boxes.game import FEASIBLE, INFEASIBLE
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
    size, nodes, bound, opened, top, width = 0, 0, 0, 0, 0, WAITS + last + 1
    batch, members, parent = (
        np.empty(total + 1, np.int64),
        np.empty(total, np.int64),
        np.empty(total, np.int64),
    )
    # the open nodes, and their members, one node after the other
    rows, arena = np.empty((64, width)), np.empty(4 * total, np.int64)
    node, child = np.zeros(width), np.empty(width)
    node[HELD], node[BOUND] = total, total
    for i in range(total):
        parent[i] = 2 * i
    for dimension in range(3):
        node[BOX + 2 * dimension] = candidates.value[dimension, candidates.order[dimension, 0]]
        node[BOX + 2 * dimension + 1] = candidates.value[dimension, candidates.order[dimension, total - 1]]
    for r in range(4):
        node[MULTIPLIERS + r] = 0.25
    count_waits(candidates, np.zeros(last), 0.0, node[BOX], node[WAITS:])
    children = 1
    while True:
        better = -1
        for branch in range(children):
            if nodes >= limits.node_limit or (limits.stopped[0] and children == 2):
                bound = max(bound, int(node[BOUND]))
                break
            nodes += children - 1
            count = int(node[HELD])
            for p in range(count):
                members[p] = parent[p]
            for r in range(width):
                child[r] = node[r]
            if children == 2:
                count = _restrict(candidates, child, members, count, branch)
            outcome = FEASIBLE
            while outcome == FEASIBLE:
                outcome, count, found = examine(
                    candidates, child, members, count, size + 1, batch, limits.stopped
                )
                if outcome == FEASIBLE:
                    size = found
                    for j in range(size):
                        best[j] = batch[j]
            if outcome == INFEASIBLE:
                continue
            if children == 1:
                keep_only(candidates.order, members, count, batch)
            if opened == rows.shape[0]:
                more = np.empty((2 * opened, width))
                for p in range(opened):
                    for r in range(width):
                        more[p, r] = rows[p, r]
                rows = more
            if top + count > arena.size:
                arena, top = compacted(rows, opened, arena, count)
            child[START], child[HELD], child[BOUND] = top, count, min(child[BOUND], node[BOUND])
            for p in range(count):
                arena[top + p] = members[p]
            for r in range(width):
                rows[opened, r] = child[r]
            if better < 0 or child[GAP] > rows[better, GAP]:
                better = opened
            top += count
            opened += 1
        children = 2
        if opened == 0 or limits.stopped[0] or nodes >= limits.node_limit:
            break
        if better < 0:
            better = opened - 1
            for p in range(opened if opened < MOST_BEST_FIRST else 0):
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
def keep_only(order, members, count, kept):  # type: ignore[no-untyped-def]
    """Drop candidates that are not among the first `count` members from all orders; they then end with -1."""
    for i in range(order.shape[1]):
        kept[i] = 0
    for p in range(count):
        kept[members[p] >> 1] = 1
    for dimension in range(order.shape[0]):
        end = 0
        for j in range(order.shape[1]):
            if kept[order[dimension, j]]:
                order[dimension, end] = order[dimension, j]
                end += 1
        if end < order.shape[1]:
            order[dimension, end] = -1


@compiled(error_model="numpy", inner=True)
def compacted(rows, opened, arena, count):  # type: ignore[no-untyped-def]
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
def _restrict(candidates, node, members, m, branch):  # type: ignore[no-untyped-def]
    """Restrict a node to one of its two children; return how many members are left.

    A batch without a member has none that it dominates: a batch with one of those may take it instead.
    """
    dimension = int(node[DIMENSION])
    if dimension != MEMBER:
        node[BOX + 2 * dimension + 1 - branch] = np.nextafter(node[VALUE], np.inf) if branch else node[VALUE]
        return m
    at, count = int(node[VALUE]), 0
    i = members[at] >> 1
    if branch == 0:
        members[at] |= 1
        return m
    for p in range(m):
        if p != at and (members[p] & 1 or not dominates(candidates, node, i, members[p] >> 1)):
            members[count] = members[p]
            count += 1
    return count


@compiled(error_model="numpy", inner=True)
def dominates(candidates, node, i, j):  # type: ignore[no-untyped-def]
    """Whether every batch of a node with `j` and without `i` stays feasible if `i` takes its place.

    Of two that are alike in both shares, the first dominates, so that no two dominate each other.
    """
    up, down = candidates.uplink[i] - candidates.uplink[j], candidates.downlink[i] - candidates.downlink[j]
    result = up <= 0 and down <= 0 and (up < 0 or down < 0 or i < j)
    for dimension in range(3):
        other = max(candidates.value[dimension, j], node[BOX + 2 * dimension])
        result &= candidates.value[dimension, i] <= other
    return result and (candidates.prices.batch_max or candidates.rank[i] <= candidates.rank[j])


def compile_search() -> None:
    """Compile the search before its clock starts: that takes seconds and cannot be interrupted."""
    alone, first = np.ones(1), np.zeros(1, np.int64)
    prices = Prices(False, *np.zeros(len(Prices._fields) - 1).tolist())
    candidates = Candidates(alone, alone, np.ones((3, 1)), np.zeros((3, 1), np.int64), first, alone, prices)
    largest_batch(candidates, np.empty(1, np.int64), Limits(0, np.ones(1, np.bool_)))
