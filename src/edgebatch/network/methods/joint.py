"""Joint search: prices from the Lagrangian relaxation, batches chosen at prices, and a proven bound; ours."""

from __future__ import annotations

import numpy as np

from edgebatch.errors import InputError
from edgebatch.network.methods import gah
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.search.bound import alone_bound, lower, prove
from edgebatch.network.search.cuts import Cuts
from edgebatch.network.search.dive import dive
from edgebatch.network.search.moves import Filling, improve
from edgebatch.network.search.relaxation import NOTHING, Relaxation, batches_of
from edgebatch.network.search.start_prices import start_prices
from edgebatch.schema import Range, describe

PROVES = True

ORDERS = 5
"""Orders of the nodes in which OT-GAH gives schedules to begin with."""

FILLINGS = 4
"""Schedules that are made at the prices, each node choosing in turn, in random orders."""

_COUNT = Range(at_least=0, at_most=10**6, whole=True)


def schedule(
    network: Network, *, rounds: int = 30, fine_rounds: int = 6, moves_per_node: int = 8
) -> NetworkSchedule:
    """Return a schedule that is no worse than OT-GAH's, and an upper bound.

    Prices of requests are moved until the nodes hardly compete at them: by subgradient steps, then to the
    lowest point of a model of all batches met. Schedules are made at those prices, by diving and in random
    orders of the nodes, and in the best of them some nodes choose anew as long as moves are left. It ends
    as soon as the bound is reached.

    Parameters
    ----------
    rounds, fine_rounds
        Steps of the prices, as of `edgebatch.network.search.bound.lower`.
    moves_per_node
        Attempts to improve the best schedule, for each node.

    Raises
    ------
    InputError
        For an option that is no whole number from 0.
    """
    options = {"rounds": rounds, "fine_rounds": fine_rounds, "moves_per_node": moves_per_node}
    for name, value in options.items():
        if value not in _COUNT:
            raise InputError(name, describe(value), str(_COUNT))
    first = max(_in_orders(network), key=lambda found: found.weight)
    bound = min(first.upper_bound, alone_bound(network))
    if bound <= first.weight or len(network.nodes) == 1:
        return NetworkSchedule(first.batches, first.weight, max(bound, first.weight))
    cuts, rng = Cuts(Relaxation(network)), np.random.default_rng(0)
    relaxation, nodes = cuts.relaxation, range(len(network.nodes))
    best = Filling(relaxation, [np.array(batch, np.int64) for batch in first.batches])
    low = lower(cuts, start_prices(network, best.batches), best.weight, rounds, fine_rounds)
    bound = min(bound, relaxation.rounded(low.bound))
    for attempt in range(1 + FILLINGS):
        if best.weight >= bound:
            break
        filled = Filling(relaxation, [NOTHING] * len(nodes))
        if attempt == 0:
            filled.settle(dive(cuts, low.prices, nodes, filled.free))
            filled.top_up(nodes, low.prices)
        else:
            filled.choose_anew(rng.permutation(nodes).tolist(), rng.uniform(0.8, 1.0) * low.prices)
        best = max(best, filled, key=lambda filling: filling.weight)
    bound = min(bound, prove(relaxation, low, best.weight))
    best = improve(best, low.prices, moves_per_node * len(nodes), bound, rng)
    return NetworkSchedule(batches_of(network, best.batches), best.weight, max(bound, best.weight))


def _in_orders(network: Network) -> list[NetworkSchedule]:
    """Schedules of OT-GAH in several orders of the nodes, that of the network first."""
    nodes: list[int] = list(range(len(network.nodes)))
    number = min(ORDERS, len(nodes))
    starts = np.array_split(np.array(nodes), number)
    return [gah.schedule(network, order=np.roll(nodes, -int(start[0])).tolist()) for start in starts]
