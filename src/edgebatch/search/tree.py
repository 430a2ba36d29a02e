"""The search tree of DFTSP: its pruning rules, the price of a node, and the walk through it.

A tree is given by a batch size z, a padded prompt length and the batch's tightest request. Level k
is a chain of `edgebatch.search.chains`. A node says how many requests are taken from each chain so far,
always those with the smallest shares.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgebatch.search.jit import compiled

FOUND, FAILED, FAILED_BY_COUNTS, OPEN = 0, 1, 2, 3
"""State of a node: a feasible batch; none below; none below, by memory or compute time; to expand."""


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


# The functions that price a batch stand here and not in cost.py because compiled code is cached by the
# time of its own file: in another file an edit of a price would not reach the compiled search.


@compiled()
def memory_bytes(cost, counts):  # type: ignore[no-untyped-def]
    """Memory of a batch with `counts` requests of each output length."""
    total = cost.weight_bytes
    for length in range(counts.shape[0]):
        total += counts[length] * cost.request_bytes[length]
    return total


@compiled()
def compute_time_s(cost, counts):  # type: ignore[no-untyped-def]
    """Compute time t(S) of a batch with `counts` requests of each output length: equation (4)."""
    flops = 0.0
    for length in range(counts.shape[0]):
        flops += counts[length] * cost.request_flops[length]
    if cost.roofline:
        return flops * cost.seconds_per_flop + stall_s(cost, counts)
    return flops * cost.seconds_per_flop


@compiled()
def stall_s(cost, counts):  # type: ignore[no-untyped-def]
    """Time that a batch waits for memory beyond its arithmetic: `edgebatch.model.roofline.stall_s`, compiled."""
    pace = cost.pace
    live = counts.sum()
    total = 0.0 if live == 0 else max(0.0, pace.weights_s - live * cost.first_s)
    before = 1
    for length in range(counts.shape[0]):
        if counts[length] == 0:
            continue
        steps = cost.output_tokens[length] - before
        slope = live * pace.context_s
        start = pace.weights_s - live * (pace.token_s + (cost.prompt_tokens + before) * pace.context_s)
        top = max(start, start - (steps - 1) * slope)
        if steps > 0 and top > 0:
            steep = abs(slope)
            waits = steps if top >= steps * steep else np.ceil(top / steep)
            total += waits * (top - (waits - 1) * steep / 2)
        before += steps
        live -= counts[length]
    return total


@compiled()
def largest_by_compute(levels, cost, budgets):  # type: ignore[no-untyped-def]
    """Largest batch that compute time and deadlines alone allow, over every tightest request."""
    lengths = cost.request_bytes.shape[0]
    here = np.zeros(lengths, np.int64)
    best = 0
    for d in range(levels.chain.shape[0]):
        here[levels.length[levels.chain[d]]] += 1
        limit = levels.deadline_s[d] * (1 + budgets.relative_tolerance)
        while best <= d:
            # one more than the best so far, shortest outputs first
            counts = np.zeros(lengths, np.int64)
            needed = best + 1
            for g in range(lengths):
                counts[g] = min(here[g], needed)
                needed -= counts[g]
            if compute_time_s(cost, counts) > limit:
                break
            best += 1
    return best


@compiled()
def search_batch_size(z, levels, cost, budgets, rules, node_limit, taken):  # type: ignore[no-untyped-def]
    """Look for a batch of exactly `z`, with each request in turn as its tightest.

    Parameters
    ----------
    taken
        Filled with the number taken from each chain if a batch is found, shape (chains,).

    Returns
    -------
    tightest, nodes
        Position of the batch's tightest request, -1 if there is no such batch, -2 if `node_limit`
        was reached first; and the number of nodes visited.
    """
    chain_count = levels.length.shape[0]
    total = levels.chain.shape[0]
    ranks = np.empty(levels.start[chain_count], np.int64)
    size = np.zeros(chain_count, np.int64)
    uplink = np.zeros(levels.start[chain_count] + chain_count)
    downlink = np.zeros(levels.start[chain_count] + chain_count)
    nodes = 0
    for d in range(total):
        if d >= z - 1:
            found, visited = _walk(
                z, d, levels, size, uplink, downlink, cost, budgets, rules, node_limit - nodes, taken
            )
            nodes += visited
            if found:
                return d, nodes
            if nodes >= node_limit:
                return -2, nodes
        _insert(d, levels, ranks, size, uplink, downlink)
    return -1, nodes


@compiled()
def _insert(d, levels, ranks, size, uplink, downlink):  # type: ignore[no-untyped-def]
    """Add request `d` to its chain; `uplink`, `downlink` hold the prefix sums of each chain."""
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
def _smallest_sums(sums, levels, size, needed, result):  # type: ignore[no-untyped-def]
    """Fill result[k, r] with the sum of the r smallest shares among chains k and later."""
    chain_count = levels.length.shape[0]
    values = np.empty((2, needed))
    held, old, new = 0, 0, 1
    result[chain_count, : needed + 1] = 0.0
    for k in range(chain_count - 1, -1, -1):
        first = levels.start[k] + k
        a, b, total = 0, 0, 0.0
        result[k, 0] = 0.0
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


@compiled()
def _walk(z, d, levels, size, uplink, downlink, cost, budgets, rules, node_limit, taken):  # type: ignore[no-untyped-def]
    """Walk the tree of batch size `z` whose tightest request is `d`, depth first.

    Children of a node take the greedy number from its chain first, then one less each. A node fails
    by counts if the first leaf below it breaks memory or compute time: that leaf has the shortest
    outputs, so every leaf below, and below each later sibling, breaks the same budget.

    Returns
    -------
    found, nodes
        Whether `taken` holds a feasible batch, and the number of nodes visited.
    """
    chain_count = levels.length.shape[0]
    supply = np.zeros(chain_count + 1, np.int64)
    for k in range(chain_count - 1, -1, -1):
        supply[k] = supply[k + 1] + size[k]
    counts = np.zeros(cost.request_bytes.shape[0], np.int64)
    counts[levels.length[levels.chain[d]]] = 1
    time_limit = levels.deadline_s[d] * (1 + budgets.relative_tolerance)
    need = np.zeros(chain_count + 1, np.int64)
    up = np.zeros(chain_count + 1)
    down = np.zeros(chain_count + 1)
    lowest = np.zeros(chain_count, np.int64)
    on_first_child = np.zeros(chain_count, np.bool_)
    first_failed = np.zeros(chain_count, np.bool_)
    need[0], up[0], down[0] = z - 1, levels.uplink_share[d], levels.downlink_share[d]
    least_up = np.empty((0, 0))
    least_down = np.empty((0, 0))
    taken[:] = 0
    level, nodes = 0, 1
    while True:
        state = OPEN
        if need[level] == 0:
            if memory_bytes(cost, counts) > budgets.memory_bytes or compute_time_s(cost, counts) > time_limit:
                state = FAILED_BY_COUNTS
            elif up[level] > budgets.share or down[level] > budgets.share:
                state = FAILED
            else:
                return True, nodes
        elif level == chain_count:
            state = FAILED
        elif rules.budget:
            if _cheapest_breaks(level, need[level], levels, size, counts, cost, budgets, time_limit):
                state = FAILED_BY_COUNTS
            else:
                if least_up.shape[0] == 0:
                    least_up = np.zeros((chain_count + 1, z))
                    least_down = np.zeros((chain_count + 1, z))
                    _smallest_sums(uplink, levels, size, z - 1, least_up)
                    _smallest_sums(downlink, levels, size, z - 1, least_down)
                # a hair above the budget, so that the order of summation never prunes an exact fit
                edge = budgets.share * (1 + 1e-12)
                if (
                    up[level] + least_up[level, need[level]] > edge
                    or down[level] + least_down[level, need[level]] > edge
                ):
                    state = FAILED
        if nodes >= node_limit:
            return False, nodes
        if state == OPEN:
            taken[level] = min(need[level], size[level])
            lowest[level] = max(0, need[level] - supply[level + 1]) if rules.supply else 0
            on_first_child[level] = True
            counts[levels.length[level]] += taken[level]
        else:
            while True:
                level -= 1
                if level < 0:
                    return False, nodes
                by_counts = state == FAILED_BY_COUNTS
                if on_first_child[level]:
                    first_failed[level] = by_counts
                    on_first_child[level] = False
                if taken[level] > lowest[level] and not (rules.sibling and by_counts):
                    taken[level] -= 1
                    counts[levels.length[level]] -= 1
                    break
                counts[levels.length[level]] -= taken[level]
                taken[level] = 0
                state = FAILED_BY_COUNTS if first_failed[level] else FAILED
        sums = levels.start[level] + level
        need[level + 1] = need[level] - taken[level]
        up[level + 1] = up[level] + uplink[sums + taken[level]]
        down[level + 1] = down[level] + downlink[sums + taken[level]]
        level += 1
        nodes += 1


@compiled()
def _cheapest_breaks(level, need, levels, size, counts, cost, budgets, time_limit):  # type: ignore[no-untyped-def]
    """Whether memory or compute time breaks even if the shortest outputs left fill the batch."""
    filled = counts.copy()
    for k in range(level, levels.length.shape[0]):
        more = min(need, size[k])
        filled[levels.length[k]] += more
        need -= more
        if need == 0:
            break
    return memory_bytes(cost, filled) > budgets.memory_bytes or compute_time_s(cost, filled) > time_limit
