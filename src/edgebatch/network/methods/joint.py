"""Joint search: prices from the Lagrangian relaxation, batches chosen at prices, and a proven bound; ours."""

from __future__ import annotations

import math

import numpy as np

from edgebatch.errors import InputError
from edgebatch.network.bound import alone_bound, lower, prove
from edgebatch.network.cuts import Cuts
from edgebatch.network.dive import dive
from edgebatch.network.methods import gah
from edgebatch.network.moves import Filling, improve
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.relaxation import NOTHING, Relaxation, batches_of
from edgebatch.network.start_prices import start_prices
from edgebatch.schema import Range, describe

PROVES = True

ORDERS = 5
"""Orders of the nodes in which OT-GAH gives schedules to begin with."""

FILLINGS, MOVES = 4, 1.6
"""Schedules that are made at the prices, each node choosing in turn, in random orders; and moves for each
pair of nodes."""

_EFFORT = Range(above=0, at_most=1000)


def schedule(network: Network, *, effort: float = 1.0) -> NetworkSchedule:
    """Return a schedule that is no worse than OT-GAH's, and an upper bound.

    Prices of requests are moved until the nodes hardly compete at them: by subgradient steps, then to the
    lowest point of a model of the batches met. Schedules are made at those prices, by diving and in random
    orders of the nodes, and in the best of them some nodes choose anew as long as moves are left. It ends
    as soon as the bound is reached.

    Parameters
    ----------
    effort
        Factor on the numbers of steps and moves, which grow with the number of nodes.

    Raises
    ------
    InputError
        For an effort that is no number above 0.
    """
    if effort not in _EFFORT:
        raise InputError("effort", describe(effort), str(_EFFORT))
    first = max(_in_orders(network), key=lambda found: found.weight)
    bound = min(first.upper_bound, alone_bound(network))
    if bound <= first.weight or len(network.nodes) == 1:
        return NetworkSchedule(first.batches, first.weight, max(bound, first.weight))
    cuts, rng = Cuts(Relaxation(network)), np.random.default_rng(0)
    relaxation, nodes = cuts.relaxation, range(len(network.nodes))
    best = Filling(relaxation, [np.array(batch, np.int64) for batch in first.batches])
    low = lower(cuts, start_prices(network, best.batches), best.weight, effort)
    bound = min(bound, network.rounded(low.bound))
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
    moves = math.ceil(effort * MOVES * len(nodes) ** 2)
    best = improve(best, low.prices, moves, bound, rng)
    return NetworkSchedule(batches_of(network, best.batches), best.weight, max(bound, best.weight))


def _in_orders(network: Network) -> list[NetworkSchedule]:
    """Schedules of OT-GAH in several orders of the nodes, that of the network first."""
    nodes: list[int] = list(range(len(network.nodes)))
    number = min(ORDERS, len(nodes))
    starts = np.array_split(np.array(nodes), number)
    return [gah.schedule(network, order=np.roll(nodes, -int(start[0])).tolist()) for start in starts]
