"""DFTSP: depth-first tree search with online pruning, optimal for any shares and both paddings."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_node_limit, check_rules
from edgebatch.search.tree import walk
from edgebatch.search.tree.chains import Levels, chains
from edgebatch.search.tree.cost import BatchCost, batch_cost
from edgebatch.search.tree.price import size_bound_by_compute

RULES = ("supply", "budget", "sibling", "batch_size")
"""Pruning rules.

- ``supply``: prune a node if the chains left cannot supply the requests still missing.
- ``budget``: prune a node if even its cheapest completion breaks a budget.
- ``sibling``: if a child's first leaf breaks memory or compute time, prune its later siblings.
- ``batch_size``: never try sizes above what a single budget allows.
"""

NO_NODE_LIMIT = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Forest:
    """The trees of one instance that share a padded prompt length.

    Attributes
    ----------
    requests
        Indices into the instance of the requests that fit the padding, by descending slack.
    levels, cost
        Levels and prices of the trees.
    size_bound
        Largest batch size to try.
    """

    requests: NDArray[np.int64]
    levels: Levels
    cost: BatchCost
    size_bound: int

    def search(
        self, z: int, budgets: walk.Budgets, rules: walk.Rules, node_limit: int = NO_NODE_LIMIT
    ) -> tuple[int, int, NDArray[np.int64]]:
        """Search the trees of batch size `z`.

        Returns
        -------
        tightest, nodes, taken
            Position of the batch's tightest request, `walk.NONE` or `walk.CUT_OFF`; the number of nodes
            visited; and the number of requests taken from each chain, shape (chains,).
        """
        taken = np.zeros(self.levels.length.size, dtype=np.int64)
        problem = walk.Problem(self.levels, self.cost, budgets, rules)
        tightest, nodes = walk.search_batch_size(z, problem, node_limit, taken)
        return int(tightest), int(nodes), taken


def schedule(
    instance: Instance, *, pruning: Collection[str] = RULES, node_limit: int | None = None
) -> Schedule:
    """Return the largest feasible batch, by Algorithm 1.

    Parameters
    ----------
    instance
        The epoch's candidates.
    pruning
        Names of the pruning rules that are on, of `RULES`; with none of them the whole tree is walked.
    node_limit
        Most nodes to visit; None searches to the end.

    Returns
    -------
    Schedule
        Proven optimal, unless `node_limit` was reached. Then it serves the requests that fit in order of
        their output length, and its upper bound is the largest size not yet refuted.
    """
    check_rules(pruning, RULES)
    check_node_limit(node_limit)
    rules = walk.Rules("supply" in pruning, "budget" in pruning, "sibling" in pruning)
    budgets = budgets_of(instance)
    trees = forests(instance, bounded="batch_size" in pruning)
    limit = NO_NODE_LIMIT if node_limit is None else node_limit
    nodes = 0
    for z in range(max((forest.size_bound for forest in trees), default=0), 0, -1):
        for forest in trees:
            if z > forest.size_bound:
                continue
            tightest, visited, taken = forest.search(z, budgets, rules, limit - nodes)
            nodes += visited
            if tightest >= 0:
                return Schedule(batch(forest, tightest, taken), upper_bound=z, nodes_visited=nodes)
            if tightest == walk.CUT_OFF:
                order = np.lexsort((instance.prompt_tokens, instance.output_tokens))
                selected = admit_in_order(instance, order[instance.servable()[order]])
                return Schedule(selected, upper_bound=z, nodes_visited=nodes, node_limit_reached=True)
    return Schedule((), upper_bound=0, nodes_visited=nodes)


def budgets_of(instance: Instance) -> walk.Budgets:
    """Budgets of the instance's node, tolerance included."""
    slack = 1 + RELATIVE_TOLERANCE
    memory_bytes = instance.system.edge_node.memory_bytes * slack
    return walk.Budgets(slack, memory_bytes, RELATIVE_TOLERANCE)


def forests(instance: Instance, bounded: bool) -> list[Forest]:
    """Build the trees to search, by rising padded prompt length.

    With padding to the batch's longest prompt, each distinct prompt length has trees of its own, over the
    requests that are no longer. `bounded` limits the batch size to what the tightest single budget
    allows under that padding.
    """
    candidates = np.flatnonzero(instance.servable())
    if candidates.size == 0:
        return []
    candidates = candidates[np.argsort(-instance.slack_s[candidates], kind="stable")]
    lengths, length = np.unique(instance.output_tokens[candidates], return_inverse=True)
    up, down = instance.uplink_share[candidates], instance.downlink_share[candidates]
    chain, rank, chain_length = chains(length, up, down)
    start = np.concatenate(([0], np.cumsum(np.bincount(chain, minlength=chain_length.size))))
    fixed = instance.system.fixed_padding_tokens
    prompts = instance.prompt_tokens[candidates]
    result = []
    for padded in np.unique(prompts) if fixed is None else np.array([fixed]):
        fit = np.flatnonzero(prompts <= padded)
        levels = Levels(
            chain[fit],
            rank[fit],
            up[fit],
            down[fit],
            instance.deadline_s[candidates[fit]],
            start.astype(np.int64),
            chain_length,
        )
        cost = batch_cost(instance.system, int(padded), lengths)
        size_bound = _size_bound(instance, levels, cost) if bounded else fit.size
        result.append(Forest(candidates[fit], levels, cost, size_bound))
    return result


def _size_bound(instance: Instance, levels: Levels, cost: BatchCost) -> int:
    """Largest batch size that every budget allows by itself."""
    budgets = budgets_of(instance)
    kv_bytes = np.sort(cost.request_bytes[levels.length[levels.chain]])
    return min(
        _most(levels.uplink_share, budgets.share),
        _most(levels.downlink_share, budgets.share),
        _most(kv_bytes, budgets.memory_bytes - cost.resident_bytes),
        int(size_bound_by_compute(levels, cost, budgets)),
    )


def _most(loads: NDArray[np.float64], budget: float) -> int:
    """Number of `loads`, smallest first, whose sum stays within `budget`."""
    # a hair above the budget, so that the order of summation never drops an exact fit
    return int(np.searchsorted(np.cumsum(np.sort(loads)), budget * (1 + 1e-12), side="right"))


def batch(forest: Forest, tightest: int, taken: NDArray[np.int64]) -> tuple[int, ...]:
    """Batch of a leaf, as indices into the instance in order of arrival."""
    levels = forest.levels
    positions = [tightest]
    for k, number in enumerate(taken):
        members = np.flatnonzero(levels.chain[:tightest] == k)
        positions.extend(members[np.argsort(levels.rank[members])][:number])
    return tuple(sorted(int(i) for i in forest.requests[positions]))
