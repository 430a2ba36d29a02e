"""Branch and bound over boxes, best first: a batch of most weight under any cost model, padding and billing.

As `edgebatch.search.boxes.search`, but what counts is the sum of weights, so that a node is bounded by the
linear relaxation of its batches of any size (`box`). Why none is lost:

1. Every batch of a box takes, in each row, at least the sum of its members' prices at the cheapest corner (or
   at a member's own values, where these are larger), and the rows' budgets are those of the loosest corner.
2. So the relaxation weighs no less than any batch of the box, at any prices >= 0 of the budgets.
3. The two halves of a box hold all its batches, and so do the two children of a branching on a member: with
   it, and without it and all that it dominates. Of the heaviest batches take one of least shares, and
   then of least positions: it holds no member that is dominated by one outside it that weighs no less.
4. A node whose members are all chosen is priced exactly. So the search ends, and with the optimum.
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import Candidates, Prices, count_waits
from edgebatch.search.boxes.box import BOUND, BOX, DIMENSION, HELD, MEMBER, START, VALUE, WAITS
from edgebatch.search.boxes.search import MOST_BEST_FIRST, Limits, compacted, dominates, keep_only
from edgebatch.search.jit import compiled
from edgebatch.search.weighted.box import BASIS, cut_of, examine


@compiled(error_model="numpy", nogil=True)
def heaviest_batch(candidates, worth, spare, best, count, limits):  # type: ignore[no-untyped-def]
    """Fill `best` with the batch of most weight.

    Parameters
    ----------
    worth
        Weight of each candidate, above 0 and at most about 1, shape (candidates,).
    spare
        Batches that are heavier by no more than this need not be found.
    best, count
        A feasible batch to begin with, by rising output, and its size, maybe 0.

    Returns
    -------
    size, weight, bound, nodes
        Size and weight of the batch; upper bound on any weight, `spare` not counted; nodes visited, the first
        not counted.
    """
    total, last = candidates.rank.size, candidates.lengths.size
    size, nodes, opened, top, width = count, 0, 0, 0, WAITS + last + 1
    batch, members, parent = (
        np.empty(total + 1, np.int64),
        np.empty(total, np.int64),
        np.empty(total, np.int64),
    )
    # the open nodes, and their members, one node after the other
    rows, arena = np.empty((64, width)), np.empty(4 * total, np.int64)
    node, child, heaviest, bound = np.zeros(width), np.empty(width), 0.0, 0.0
    for j in range(size):
        heaviest += worth[best[j]]
    for i in range(total):
        parent[i] = 2 * i
    node[HELD], node[BOUND] = total, np.inf
    for dimension in range(3):
        node[BOX + 2 * dimension] = candidates.value[dimension, candidates.order[dimension, 0]]
        node[BOX + 2 * dimension + 1] = candidates.value[dimension, candidates.order[dimension, total - 1]]
    for r in range(4):
        node[BASIS + r] = -1 - r
    count_waits(candidates, np.zeros(last), 0.0, node[BOX], node[WAITS:])
    children = 1
    while True:
        for branch in range(children):
            if nodes >= limits.node_limit or (limits.stopped[0] and children == 2):
                bound = max(bound, node[BOUND])
                break
            nodes += children - 1
            count = int(node[HELD])
            for p in range(count):
                members[p] = parent[p]
            for r in range(width):
                child[r] = node[r]
            if children == 2:
                count = _restrict(candidates, worth, child, members, count, branch)
            count, found, heaviest = examine(
                candidates, worth, child, members, count, heaviest, spare, batch, limits.stopped
            )
            if found:
                size = found
                for j in range(size):
                    best[j] = batch[j]
            if count == 0:
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
            child[START], child[HELD] = top, count
            for p in range(count):
                arena[top + p] = members[p]
            for r in range(width):
                rows[opened, r] = child[r]
            top += count
            opened += 1
        children, chosen, cut = 2, False, cut_of(heaviest, spare)
        while not chosen and opened > 0 and not limits.stopped[0] and nodes < limits.node_limit:
            better = opened - 1
            for p in range(opened if opened < MOST_BEST_FIRST else 0):
                if rows[p, BOUND] > rows[better, BOUND]:
                    better = p
            opened -= 1
            for r in range(width):
                node[r], rows[better, r] = rows[better, r], rows[opened, r]
            chosen = node[BOUND] > cut
        if not chosen:
            break
        for p in range(int(node[HELD])):
            parent[p] = arena[int(node[START]) + p]
    for p in range(opened):
        bound = max(bound, rows[p, BOUND])
    return size, heaviest, max(bound, heaviest), nodes


@compiled(error_model="numpy", inner=True)
def _restrict(candidates, worth, node, members, m, branch):  # type: ignore[no-untyped-def]
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
        j = members[p] >> 1
        dominated = p == at or (worth[i] >= worth[j] and dominates(candidates, node, i, j))
        if members[p] & 1 or not dominated:
            members[count] = members[p]
            count += 1
    return count


def compile_search() -> None:
    """Compile the search before its clock starts: that takes seconds and cannot be interrupted."""
    alone, first = np.ones(1), np.zeros(1, np.int64)
    prices = Prices(False, *np.zeros(len(Prices._fields) - 1).tolist())
    candidates = Candidates(alone, alone, np.ones((3, 1)), np.zeros((3, 1), np.int64), first, alone, prices)
    heaviest_batch(candidates, alone, 0.0, np.empty(1, np.int64), 0, Limits(0, np.ones(1, np.bool_)))
