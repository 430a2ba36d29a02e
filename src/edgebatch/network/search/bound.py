"""An upper bound on the weight that a network can serve, at any size."""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.search.cuts import Cuts
from edgebatch.network.search.relaxation import Relaxation, Relaxed
from edgebatch.network.search.start_prices import start_prices
from edgebatch.schedulers import surrogate

NODE_LIMIT, FINE_NODE_LIMIT, EXACT_NODE_LIMIT = 20, 300, 20_000
"""Nodes of each search while prices are sought, while they are refined, and when the bound is proven."""

SPARE_UNIT, SPARE_SHARE = 0.1, 1e-4
"""What the searches of all nodes together may miss: part of a whole weight, or share of the target."""


def upper_bound(
    network: Network, schedule: NetworkSchedule, *, rounds: int = 40, fine_rounds: int = 8
) -> float:
    """Upper bound on the weight of any schedule, from prices that begin with a schedule.

    Parameters
    ----------
    schedule
        Any that is feasible; a good one makes the bound strong sooner.
    rounds, fine_rounds
        Steps of the prices, as of `lower`.
    """
    bound = min(schedule.upper_bound, alone_bound(network))
    if bound <= schedule.weight or len(network.nodes) == 1:
        return max(bound, schedule.weight)
    cuts = Cuts(Relaxation(network))
    prices = start_prices(network, [np.array(batch, np.int64) for batch in schedule.batches])
    low = lower(cuts, prices, schedule.weight, rounds, fine_rounds)
    return max(schedule.weight, min(bound, prove(cuts.relaxation, low, schedule.weight)))


def alone_bound(network: Network) -> float:
    """Sum of what each node can serve with all requests for itself, or of all weights if that is less."""
    alone = [surrogate.schedule(instance).upper_bound for instance in network.instances]
    return min(sum(alone), network.weight_of(range(network.size)))


def lower(cuts: Cuts, prices: NDArray[np.float64], target: float, rounds: int, fine_rounds: int) -> Relaxed:
    """The relaxation of the lowest bound that is met; it ends when the bound is at the target.

    Parameters
    ----------
    cuts
        Filled with the batches that are met.
    target
        Weight of the best schedule so far.
    rounds, fine_rounds
        Subgradient steps by searches that are cut off early; steps to the lowest point of the cuts by
        searches that are cut off late.
    """
    relaxation, spare = cuts.relaxation, _spare(cuts.relaxation, target)
    best = Relaxed(prices, np.inf, [])
    for found in islice(relaxation.descent(prices, target, NODE_LIMIT, spare), rounds):
        cuts.add(found)
        best = min(best, found, key=lambda relaxed: relaxed.bound)
        if relaxation.rounded(best.bound) <= target:
            return best
    for found in islice(cuts.refinement(best, FINE_NODE_LIMIT, spare), fine_rounds):
        best = min(best, found, key=lambda relaxed: relaxed.bound)
        if relaxation.rounded(best.bound) <= target:
            break
    return best


def prove(relaxation: Relaxation, low: Relaxed, target: float) -> float:
    """The bound at the prices of `low`, by searches that are hardly ever cut off."""
    bound = relaxation.rounded(low.bound)
    if bound > target:
        exact = relaxation.at(low.prices, EXACT_NODE_LIMIT, _spare(relaxation, target))
        bound = min(bound, relaxation.rounded(exact.bound))
    return bound


def _spare(relaxation: Relaxation, target: float) -> float:
    """What the search of each node may miss."""
    return (SPARE_UNIT if relaxation.whole else SPARE_SHARE * target) / len(relaxation.pricers)
