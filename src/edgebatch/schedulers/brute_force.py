"""Brute force: DFTSP's tree without pruning, whose nodes are counted by a formula or by a walk."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError, one_of
from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers import dftsp
from edgebatch.schedulers._options import check_rules
from edgebatch.search.tree import walk

COUNTINGS = ("formula", "walk")
COUNTABLE = ("supply", "batch_size")
"""Pruning rules that depend on numbers of requests alone, so that the nodes they leave can be counted."""


def schedule(instance: Instance, *, counting: str = "formula", pruning: Collection[str] = ()) -> Schedule:
    """Return the largest feasible batch, with the number of nodes that a walk without pruning visits.

    Parameters
    ----------
    counting
        ``walk`` visits every node. ``formula`` counts the same nodes by dynamic programming, without the
        walk: pruning cuts only trees without a feasible batch, so that every walk ends at the same leaf.
    pruning
        Names of the pruning rules that stay on, of `COUNTABLE`.
    """
    if counting not in COUNTINGS:
        raise InputError("counting", repr(counting), one_of(counting, COUNTINGS))
    check_rules(pruning, COUNTABLE)
    if counting == "walk":
        return dftsp.schedule(instance, pruning=pruning)
    supply = "supply" in pruning
    budgets, rules = dftsp.budgets_of(instance), walk.Rules(True, True, True)
    trees = dftsp.forests(instance, bounded="batch_size" in pruning)
    size = dftsp.schedule(instance).size
    nodes = sum(
        _nodes_of_trees(forest, forest.requests.size, size, forest.size_bound, supply) for forest in trees
    )
    for forest in trees if size else ():
        if size > forest.size_bound:
            continue
        tightest, _, taken = forest.search(size, budgets, rules)
        before = forest.requests.size if tightest < 0 else tightest
        nodes += _nodes_of_trees(forest, before, size - 1, size, supply)
        if tightest >= 0:
            nodes += _nodes_up_to(_chain_sizes(forest, tightest), size - 1, taken, supply)
            selected = dftsp.batch(forest, tightest, taken)
            return Schedule(selected, upper_bound=size, nodes_visited=nodes)
    return Schedule((), upper_bound=0, nodes_visited=nodes)


def _chain_sizes(forest: dftsp.Forest, before: int) -> list[int]:
    chain = forest.levels.chain[:before]
    return np.bincount(chain, minlength=forest.levels.length.size).tolist()


def _nodes_of_trees(forest: dftsp.Forest, before: int, above: int, at_most: int, supply: bool) -> int:
    """Nodes of all trees with a batch size in (above, at_most], tightest request before `before`."""
    total = 0
    for tightest in range(before):
        largest = min(at_most, tightest + 1)
        if largest > above:
            nodes = tree_nodes(_chain_sizes(forest, tightest), largest - 1, supply)
            total += sum(nodes[above:largest])
    return total


def tree_nodes(chain_sizes: list[int], most: int, supply: bool = False) -> list[int]:
    """Nodes of the tree over chains of the given sizes, for each number needed, 0 to `most`.

    A node at level k is a choice from the first k chains that the first k-1 did not complete. With W_k(r)
    choices that add up to r, a tree that needs z has 1 + sum_k (sum_{r <= z} W_k(r) - W_{k-1}(z)) nodes.
    The `supply` rule keeps the choices that the later chains, with S_k requests in all, can complete:
    r >= z - S_k.
    """
    # no number here exceeds the number of all choices: Python integers only where 64 bits may overflow
    choices = math.prod(size + 1 for size in chain_sizes)
    kind = np.int64 if choices * (len(chain_sizes) + 1) < 2**62 else object
    ways, nodes = np.zeros(most + 1, kind), np.ones(most + 1, kind)
    ways[0] = 1
    needed = np.arange(most + 1)
    later = sum(chain_sizes)
    for size in chain_sizes:
        later -= size
        sums = np.concatenate((np.zeros(1, kind), np.cumsum(ways)))
        taken = sums[1:] - sums[np.maximum(0, needed - size)]
        reached = np.concatenate((np.zeros(1, kind), np.cumsum(taken)))
        nodes += reached[1:] - ways
        if supply:
            nodes -= reached[np.maximum(0, needed - later)]
        ways = taken
    return nodes.tolist()


def _nodes_up_to(chain_sizes: list[int], needed: int, taken: NDArray[np.int64], supply: bool) -> int:
    """Nodes that the walk visits up to and with the leaf `taken`."""
    nodes = 1
    for k, number in enumerate(taken.tolist()):
        if needed == 0:
            break
        passed = range(number + 1, min(needed, chain_sizes[k]) + 1)
        below = tree_nodes(chain_sizes[k + 1 :], needed, supply) if passed else []
        nodes += sum(below[needed - other] for other in passed) + 1
        needed -= number
    return nodes
