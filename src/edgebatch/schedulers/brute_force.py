"""Brute force: DFTSP's tree with every pruning rule off, its nodes counted exactly."""

from __future__ import annotations

from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from edgebatch import tree
from edgebatch.errors import InputError, one_of
from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers import dftsp

COUNTINGS = ("formula", "walk")


def schedule(instance: Instance, *, counting: str = "formula") -> Schedule:
    """The largest feasible batch, with the nodes that a walk without pruning visits.

    Parameters
    ----------
    counting
        ``walk`` visits every node. ``formula`` counts the same number without the walk: pruning cuts
        only trees without a feasible batch, so that both end at the same leaf, and the nodes before
        it are counted by dynamic programming.
    """
    if counting not in COUNTINGS:
        raise InputError("counting", repr(counting), one_of(counting, COUNTINGS))
    if counting == "walk":
        return dftsp.schedule(instance, pruning=())
    budgets, rules = dftsp.budgets_of(instance), tree.Rules(True, True, True)
    trees = dftsp.forests(instance, bounded=False)
    size = dftsp.schedule(instance).size
    failed_sizes = [sum(_nodes_of_failed_sizes(forest, forest.requests.size, size) for forest in trees)]
    for forest in trees if size else ():
        taken = np.zeros(forest.levels.length.size, dtype=np.int64)
        tightest, _ = tree.search_batch_size(
            size, forest.levels, forest.cost, budgets, rules, np.iinfo(np.int64).max, taken
        )
        ends = forest.requests.size if tightest < 0 else tightest
        failed_sizes.append(_nodes_of_failed_sizes(forest, ends, size - 1, size))
        if tightest >= 0:
            failed_sizes.append(_nodes_up_to(_chain_sizes(forest, tightest), size - 1, taken))
            found = dftsp.batch(forest, int(tightest), taken)
            return Schedule(found, upper_bound=size, nodes_visited=sum(failed_sizes))
    return Schedule((), upper_bound=0, nodes_visited=sum(failed_sizes))


def _chain_sizes(forest: dftsp.Forest, before: int) -> list[int]:
    chain = forest.levels.chain[:before]
    return np.bincount(chain, minlength=forest.levels.length.size).tolist()


def _nodes_of_failed_sizes(forest: dftsp.Forest, before: int, above: int, at_most: int | None = None) -> int:
    """Nodes of all trees with a batch size in (above, at_most], tightest request before `before`."""
    total = 0
    for tightest in range(before):
        largest = tightest + 1 if at_most is None else min(at_most, tightest + 1)
        if largest > above:
            nodes = tree_nodes(_chain_sizes(forest, tightest), largest - 1)
            total += sum(nodes[above:largest])
    return total


def tree_nodes(chain_sizes: list[int], most: int) -> list[int]:
    """Nodes of the unpruned tree over chains of the given sizes, for each number needed, 0 to `most`.

    A node at level k is a choice from the first k chains, of which the first k-1 did not yet
    suffice. With W_k(r) choices that add up to r, a tree that needs z has
    1 + sum_k (sum_{r <= z} W_k(r) - W_{k-1}(z)) nodes.
    """
    ways = [1] + [0] * most
    nodes = [1] * (most + 1)
    for size in chain_sizes:
        sums = [0, *accumulate(ways)]
        taken = [sums[r + 1] - sums[max(0, r - size)] for r in range(most + 1)]
        reached = list(accumulate(taken))
        nodes = [nodes[z] + reached[z] - ways[z] for z in range(most + 1)]
        ways = taken
    return nodes


def _nodes_up_to(chain_sizes: list[int], needed: int, taken: NDArray[np.int64]) -> int:
    """Nodes that the unpruned walk visits up to and with the leaf `taken`."""
    nodes = 1
    for k, number in enumerate(taken.tolist()):
        if needed == 0:
            break
        first = min(needed, chain_sizes[k])
        passed = range(number + 1, first + 1)
        below = tree_nodes(chain_sizes[k + 1 :], needed) if passed else []
        nodes += sum(below[needed - other] for other in passed) + 1
        needed -= number
    return nodes
