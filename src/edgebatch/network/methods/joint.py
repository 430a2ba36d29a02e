"""Joint search: prices from the Lagrangian relaxation, batches chosen at prices, and a proven bound; ours."""

from __future__ import annotations

import numpy as np

from edgebatch.errors import InputError
from edgebatch.network.bound import EXACT_NODE_LIMIT, NODE_LIMIT, alone_bound, lowest
from edgebatch.network.methods import gah
from edgebatch.network.moves import Filling, improve
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.relaxation import Relaxation, batches_of
from edgebatch.network.start_prices import start_prices
from edgebatch.schema import Range, describe

PROVES = True

ORDERS = 5
"""Orders of the nodes in which OT-GAH gives schedules to begin with."""

_COUNT = Range(at_least=0, at_most=10**6, whole=True)


def schedule(
    network: Network, *, rounds: int = 40, exact_rounds: int = 2, fillings: int = 6, moves: int = 60
) -> NetworkSchedule:
    """Return a schedule that is no worse than OT-GAH's, and an upper bound.

    Prices of requests are lowered and raised until the nodes hardly compete at them. Then nodes choose in
    random orders at those prices, and some of them choose anew as long as moves are left. It ends as soon as
    the bound is reached.

    Parameters
    ----------
    rounds, exact_rounds
        Steps of the prices by searches that are cut off early, and by searches that are hardly ever.
    fillings, moves
        Schedules made at the prices, and attempts to improve the best.

    Raises
    ------
    InputError
        For an option that is no whole number from 0.
    """
    for name, value in (
        ("rounds", rounds),
        ("exact_rounds", exact_rounds),
        ("fillings", fillings),
        ("moves", moves),
    ):
        if value not in _COUNT:
            raise InputError(name, describe(value), str(_COUNT))
    first = max(_in_orders(network), key=lambda found: found.weight)
    bound = min(first.upper_bound, alone_bound(network))
    if bound <= first.weight or network.size == 0:
        return NetworkSchedule(first.batches, first.weight, max(bound, first.weight))
    relaxation, rng = Relaxation(network), np.random.default_rng(0)
    best = Filling(relaxation, [np.array(batch, np.int64) for batch in first.batches])
    prices = start_prices(network, best.batches)
    nodes = list(range(len(network.nodes)))

    found = lowest(relaxation, prices, best.weight, rounds, NODE_LIMIT)
    prices, bound = found.prices, min(bound, relaxation.rounded(found.bound))
    for _ in range(fillings):
        if best.weight >= bound:
            break
        filled = Filling(relaxation, [np.empty(0, np.int64)] * len(nodes))
        filled.choose_anew(rng.permutation(nodes).tolist(), rng.uniform(0.8, 1.0) * prices)
        filled.top_up(nodes, prices)
        best = max(best, filled, key=lambda filling: filling.weight)
    found = lowest(relaxation, prices, best.weight, exact_rounds, EXACT_NODE_LIMIT)
    bound = min(bound, relaxation.rounded(found.bound))
    best = improve(best, found.prices, moves, bound, rng)
    return NetworkSchedule(batches_of(network, best.batches), best.weight, max(bound, best.weight))


def _in_orders(network: Network) -> list[NetworkSchedule]:
    """Schedules of OT-GAH in several orders of the nodes, that of the network first."""
    nodes: list[int] = list(range(len(network.nodes)))
    number = min(ORDERS, len(nodes))
    starts = np.array_split(np.array(nodes), number)
    return [gah.schedule(network, order=np.roll(nodes, -int(start[0])).tolist()) for start in starts]
