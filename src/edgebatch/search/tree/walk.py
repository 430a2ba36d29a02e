"""The search tree of DFTSP: its pruning rules, and the walk through it.

A tree is given by a batch size z, a padded prompt length and the batch's tightest request. Level k
is a chain of `edgebatch.search.tree.chains`. A node says how many requests are taken from each chain so far,
always those with the smallest shares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.jit import compiled
from edgebatch.search.tree.chains import Levels
from edgebatch.search.tree.cost import BatchCost
from edgebatch.search.tree.price import compute_time_s, memory_bytes

FAILED, FAILED_BY_COUNTS, OPEN = 0, 1, 2
"""State of a node: no feasible batch below; none by memory or compute time; to expand."""

NONE, CUT_OFF = -1, -2
"""In place of a batch's tightest request: there is no such batch; the node limit was reached first."""


class Rules(NamedTuple):
    """Which pruning rules are on, inside a tree."""

    supply: bool
    budget: bool
    sibling: bool


class Budgets(NamedTuple):
    """What a batch may use, tolerance included, beside the deadlines of its requests."""

    share: float
    memory_bytes: float
    relative_tolerance: float


class Problem(NamedTuple):
    """The trees of one padded prompt length: their levels, prices, budgets and pruning rules."""

    levels: Levels
    cost: BatchCost
    budgets: Budgets
    rules: Rules


class Members(NamedTuple):
    """The requests that stand before the tightest one, in their chains.

    Arrays of ranks and sums hold the chains one after the other.

    Attributes
    ----------
    size
        Number of requests in each chain, shape (chains,).
    ranks
        Ranks of the requests of each chain, rising, shape (requests,).
    uplink, downlink
        Prefix sums of the shares of each chain, from 0, shape (requests + chains,).
    """

    size: NDArray[np.int64]
    ranks: NDArray[np.int64]
    uplink: NDArray[np.float64]
    downlink: NDArray[np.float64]


class Path(NamedTuple):
    """The nodes from the root to the one that is visited; arrays have an entry for each level.

    Attributes
    ----------
    need
        Requests still missing from the batch.
    up, down
        Shares of the bands taken so far.
    taken, lowest
        Requests that the child takes from the level's chain, and the fewest that any child takes.
    on_first_child, first_failed
        Whether the child is the level's first; whether the first failed by counts.
    counts
        Requests of each output length taken so far, shape (output lengths,).
    """

    need: NDArray[np.int64]
    up: NDArray[np.float64]
    down: NDArray[np.float64]
    taken: NDArray[np.int64]
    lowest: NDArray[np.int64]
    on_first_child: NDArray[np.bool_]
    first_failed: NDArray[np.bool_]
    counts: NDArray[np.int64]


@compiled()
def search_batch_size(z, problem, node_limit, taken):  # type: ignore[no-untyped-def]
    """Look for a batch of exactly `z`, with each request in turn as its tightest.

    Parameters
    ----------
    taken
        Filled with the number taken from each chain if there is a batch, shape (chains,).

    Returns
    -------
    tightest, nodes
        Position of the batch's tightest request, `NONE` or `CUT_OFF`; and the number of nodes visited.
    """
    levels = problem.levels
    chain_count = levels.length.shape[0]
    requests = levels.start[chain_count]
    members = Members(
        np.zeros(chain_count, np.int64),
        np.empty(requests, np.int64),
        np.zeros(requests + chain_count),
        np.zeros(requests + chain_count),
    )
    nodes = 0
    for d in range(levels.chain.shape[0]):
        if d >= z - 1:
            feasible, visited = _walk(z, d, problem, members, node_limit - nodes, taken)
            nodes += visited
            if feasible:
                return d, nodes
            if nodes >= node_limit:
                return CUT_OFF, nodes
        _insert(d, levels, members)
    return NONE, nodes


@compiled()
def _insert(d, levels, members):  # type: ignore[no-untyped-def]
    """Add request `d` to its chain."""
    ranks, size, uplink, downlink = members.ranks, members.size, members.uplink, members.downlink
    k = levels.chain[d]
    first = levels.start[k]
    place = size[k]
    while place > 0 and ranks[first + place - 1] > levels.rank[d]:
        ranks[first + place] = ranks[first + place - 1]
        place -= 1
    ranks[first + place] = levels.rank[d]
    size[k] += 1
    sums = first + k
    for j in range(size[k], place, -1):
        uplink[sums + j] = uplink[sums + j - 1] + levels.uplink_share[d]
        downlink[sums + j] = downlink[sums + j - 1] + levels.downlink_share[d]


@compiled()
def _walk(z, d, problem, members, node_limit, taken):  # type: ignore[no-untyped-def]
    """Walk the tree of batch size `z` whose tightest request is `d`, depth first.

    Children of a node take the greedy number from its chain first, then one less each. A node fails
    by counts if the first leaf below it breaks memory or compute time: that leaf has the shortest
    outputs, so every leaf below, and below each later sibling, breaks the same budget.

    Returns
    -------
    feasible, nodes
        Whether `taken` holds a feasible batch, and the number of nodes visited.
    """
    levels, cost, budgets, rules = problem
    size = members.size
    limit_s = levels.deadline_s[d] * (1 + budgets.relative_tolerance)
    chain_count = levels.length.shape[0]
    supply = np.zeros(chain_count + 1, np.int64)
    for k in range(chain_count - 1, -1, -1):
        supply[k] = supply[k + 1] + size[k]
    path = _root(z, d, levels, cost.request_bytes.shape[0], taken)
    least_up, least_down = np.empty((0, 0)), np.empty((0, 0))
    level, nodes = 0, 1
    while True:
        state = OPEN
        if path.need[level] == 0:
            if _counts_break(cost, budgets, limit_s, path.counts):
                state = FAILED_BY_COUNTS
            elif path.up[level] > budgets.share or path.down[level] > budgets.share:
                state = FAILED
            else:
                return True, nodes
        elif level == chain_count:
            state = FAILED
        elif rules.budget:
            filled = _cheapest_filling(level, levels.length, size, path)
            if _counts_break(cost, budgets, limit_s, filled):
                state = FAILED_BY_COUNTS
            else:
                if least_up.shape[0] == 0:
                    # only here: most trees fail by counts at their root
                    least_up = _smallest_sums(members.uplink, levels, size, z - 1)
                    least_down = _smallest_sums(members.downlink, levels, size, z - 1)
                # a hair above the budget, so that the order of summation never prunes an exact fit
                edge, need = budgets.share * (1 + 1e-12), path.need[level]
                if path.up[level] + least_up[level, need] > edge:
                    state = FAILED
                if path.down[level] + least_down[level, need] > edge:
                    state = FAILED
        if nodes >= node_limit:
            return False, nodes
        if state == OPEN:
            path.taken[level] = min(path.need[level], size[level])
            path.lowest[level] = max(0, path.need[level] - supply[level + 1]) if rules.supply else 0
            path.on_first_child[level] = True
            path.counts[levels.length[level]] += path.taken[level]
        else:
            level = _next_sibling(level, state, levels, rules, path)
            if level < 0:
                return False, nodes
        sums = levels.start[level] + level + path.taken[level]
        path.need[level + 1] = path.need[level] - path.taken[level]
        path.up[level + 1] = path.up[level] + members.uplink[sums]
        path.down[level + 1] = path.down[level] + members.downlink[sums]
        level += 1
        nodes += 1


@compiled()
def _root(z, d, levels, lengths, taken):  # type: ignore[no-untyped-def]
    """The path that holds the root alone: request `d`, and z - 1 requests missing."""
    chain_count = levels.length.shape[0]
    taken[:] = 0
    path = Path(
        np.zeros(chain_count + 1, np.int64),
        np.zeros(chain_count + 1),
        np.zeros(chain_count + 1),
        taken,
        np.zeros(chain_count, np.int64),
        np.zeros(chain_count, np.bool_),
        np.zeros(chain_count, np.bool_),
        np.zeros(lengths, np.int64),
    )
    path.counts[levels.length[levels.chain[d]]] = 1
    path.need[0], path.up[0], path.down[0] = z - 1, levels.uplink_share[d], levels.downlink_share[d]
    return path


@compiled()
def _counts_break(cost, budgets, limit_s, counts):  # type: ignore[no-untyped-def]
    """Whether a batch with these counts breaks memory or its time limit."""
    return memory_bytes(cost, counts) > budgets.memory_bytes or compute_time_s(cost, counts) > limit_s


@compiled()
def _cheapest_filling(level, length, size, path):  # type: ignore[no-untyped-def]
    """Counts of the batch that the shortest outputs left complete, shape (output lengths,)."""
    filled, need = path.counts.copy(), path.need[level]
    for k in range(level, length.shape[0]):
        more = min(need, size[k])
        filled[length[k]] += more
        need -= more
        if need == 0:
            break
    return filled


@compiled()
def _smallest_sums(sums, levels, size, needed):  # type: ignore[no-untyped-def]
    """Sums of the r smallest shares among chains k and later, shape (chains + 1, needed + 1)."""
    chain_count = levels.length.shape[0]
    result = np.zeros((chain_count + 1, needed + 1))
    values = np.empty((2, needed))
    held, old, new = 0, 0, 1
    for k in range(chain_count - 1, -1, -1):
        first = levels.start[k] + k
        a, b, total = 0, 0, 0.0
        for r in range(needed):
            own = np.inf if a == size[k] else sums[first + a + 1] - sums[first + a]
            later = np.inf if b == held else values[old, b]
            if own <= later:
                values[new, r] = own
                a += 1
            else:
                values[new, r] = later
                b += 1
            if a > size[k] or b > held:
                break
            total += values[new, r]
            result[k, r + 1] = total
        held = min(needed, held + size[k])
        for r in range(held, needed):
            result[k, r + 1] = total
        old, new = new, old
    return result


@compiled()
def _next_sibling(level, state, levels, rules, path):  # type: ignore[no-untyped-def]
    """Backtrack from a failed node to the nearest level with a child left, and take it; -1 if none is."""
    while True:
        level -= 1
        if level < 0:
            return level
        by_counts = state == FAILED_BY_COUNTS
        if path.on_first_child[level]:
            path.first_failed[level] = by_counts
            path.on_first_child[level] = False
        if path.taken[level] > path.lowest[level] and not (rules.sibling and by_counts):
            path.taken[level] -= 1
            path.counts[levels.length[level]] -= 1
            return level
        path.counts[levels.length[level]] -= path.taken[level]
        path.taken[level] = 0
        state = FAILED_BY_COUNTS if path.first_failed[level] else FAILED
