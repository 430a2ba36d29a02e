"""Joint search: batches of all nodes priced against each other by column generation, then chosen and polished.

The exact search of one node, with weights less the prices of requests, finds the batch that a linear program over
batches lacks most. Any prices give an upper bound on all schedules: the sum of the prices, and of what each node's
best batch is worth beyond them (the Lagrangian bound of the rule that a request is served once).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.columns import Column, choose, price
from edgebatch.network.methods import gah
from edgebatch.network.methods._association import batch_of, of_batches
from edgebatch.network.pricing import Pricer
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.relaxation import relax
from edgebatch.problem import RELATIVE_TOLERANCE

PRICE_NODES = 2000
"""Most nodes of a search for one batch; its bound holds all the same."""


def schedule(
    network: Network, *, rounds: int = 40, smoothing: float = 0.6, choice_nodes: int = 200
) -> NetworkSchedule:
    """Serve by columns; never less than `gah` in the order of the nodes.

    Parameters
    ----------
    rounds
        Most rounds of pricing.
    smoothing
        Weight of the best prices so far in those that are tried (Wentges, International Transactions in
        Operational Research 4, 1997).
    choice_nodes
        Most nodes of the integer program that chooses.
    """
    nodes = len(network.nodes)
    pricers = [Pricer(i, r) for i, r in zip(network.instances, network.reach, strict=True)]
    first = [np.array(batch, dtype=np.int64) for batch in gah.schedule(network).batches]
    columns = [Column(node, batch) for node, batch in enumerate(first)]
    best = _polished(network, first)
    columns += [Column(node, batch) for node, batch in enumerate(best)]
    bound, centre = relax(network)
    prices = centre
    for _ in range(rounds):
        if _weight(network, best) * (1 + RELATIVE_TOLERANCE) >= _whole(network, bound):
            break
        priced = [pricer.heaviest(network.weight - prices, node_limit=PRICE_NODES) for pricer in pricers]
        here = float(prices.sum()) + sum(of.bound for of in priced)
        if here < bound:
            bound, centre = here, prices
        fresh = [Column(node, of.batch) for node, of in enumerate(priced) if _is_new(columns, node, of.batch)]
        if not fresh:
            if smoothing == 0:
                break
            smoothing = 0.0
        columns += fresh
        prices = smoothing * centre + (1 - smoothing) * price(columns, network.weight, nodes).of_requests
    chosen = _polished(network, choose(columns, network.weight, nodes, choice_nodes))
    best = max((best, chosen), key=lambda batches: _weight(network, batches))
    return of_batches(network, tuple(tuple(np.sort(b).tolist()) for b in best), _whole(network, bound))


def _weight(network: Network, batches: Sequence[NDArray[np.int64]]) -> float:
    return network.weight_of(np.concatenate(batches).tolist())


def _whole(network: Network, bound: float) -> float:
    """A bound rounded down where all weights are whole numbers."""
    whole = bool((network.weight == np.floor(network.weight)).all())
    return float(np.floor(bound + 1e-6)) if whole else bound


def _is_new(columns: list[Column], node: int, batch: NDArray[np.int64]) -> bool:
    return batch.size > 0 and not any(c.node == node and np.array_equal(c.batch, batch) for c in columns)


def _polished(network: Network, batches: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Let each node choose anew among its own requests and those that nobody serves, while that gains."""
    batches, gained = list(batches), True
    free = np.ones(network.size, dtype=bool)
    free[np.concatenate(batches)] = False
    while gained:
        gained = False
        for node, reached in enumerate(network.reach):
            free[batches[node]] = True
            found = np.array(batch_of(network, node, reached[free[reached]]), dtype=np.int64)
            if network.weight[found].sum() > network.weight[batches[node]].sum() * (1 + RELATIVE_TOLERANCE):
                batches[node], gained = found, True
            free[batches[node]] = False
    return batches
