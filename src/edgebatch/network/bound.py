"""An upper bound on the weight that a network can serve, at any size."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.relaxation import Relaxation, Relaxed
from edgebatch.network.start_prices import start_prices
from edgebatch.schedulers import surrogate

NODE_LIMIT, EXACT_NODE_LIMIT = 20, 20_000
"""Nodes of each search while prices are sought, and when the bound is proven."""

SPARE_UNIT, SPARE_SHARE = 0.1, 1e-4
"""What the searches of all nodes together may miss: part of a whole weight, or share of the target."""


def upper_bound(network: Network, schedule: NetworkSchedule, *, rounds: int = 50, exact: int = 3) -> float:
    """Upper bound on the weight of any schedule, from prices that begin with a schedule.

    Parameters
    ----------
    schedule
        Any that is feasible; a good one makes the bound strong sooner.
    rounds, exact
        Steps that lower the bound by searches that are cut off, and by exact ones.
    """
    bound = min(schedule.upper_bound, alone_bound(network))
    if bound <= schedule.weight or len(network.nodes) == 1:
        return max(bound, schedule.weight)
    relaxation = Relaxation(network)
    prices = start_prices(network, [np.array(batch, np.int64) for batch in schedule.batches])
    cheap = lowest(relaxation, prices, schedule.weight, rounds, NODE_LIMIT)
    proven = lowest(relaxation, cheap.prices, schedule.weight, exact, EXACT_NODE_LIMIT)
    return max(schedule.weight, min(bound, relaxation.rounded(min(cheap.bound, proven.bound))))


def alone_bound(network: Network) -> float:
    """Sum of what each node can serve with all requests for itself, or of all weights if that is less."""
    alone = [surrogate.schedule(instance).upper_bound for instance in network.instances]
    return min(sum(alone), network.weight_of(range(network.size)))


def lowest(
    relaxation: Relaxation, prices: NDArray[np.float64], target: float, rounds: int, node_limit: int
) -> Relaxed:
    """The relaxation of the lowest bound within some rounds; it ends when the bound is at the target."""
    spare = SPARE_UNIT if relaxation.whole else SPARE_SHARE * target
    best = Relaxed(prices, np.inf, [])
    steps = relaxation.descent(prices, target, node_limit, spare / len(relaxation.pricers))
    for found in islice(steps, rounds):
        if found.bound < best.bound:
            best = found
        if relaxation.rounded(best.bound) <= target:
            break
    return best
