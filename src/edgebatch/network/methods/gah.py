"""OT-GAH: an optimal batch of one node after the other, on residual profits; at least half of the optimum."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgebatch.errors import InputError
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.search.nodes import optimal_batch, unproven
from edgebatch.schema import describe


def schedule(network: Network, *, order: Sequence[int] | None = None) -> NetworkSchedule:
    """Give each node in turn an optimal batch for the profits that are left [Cohen, Katzir, Raz 2006].

    The residual profit of a request at a later node is its weight less what it earns where it is served. A
    request weighs the same at every node, so nothing is left of one that is served, and no later node
    takes it. With an exact search of one node the sum is at least half of the optimum, in any order.

    Parameters
    ----------
    order
        Nodes by index in the order in which they choose; None for the order of the network.

    Raises
    ------
    InputError
        For an order that does not name each node once.
    """
    nodes = range(len(network.nodes)) if order is None else order
    if sorted(nodes) != list(range(len(network.nodes))):
        expected = f"each of the nodes 0 to {len(network.nodes) - 1} once"
        raise InputError("order", describe(list(nodes)), expected)
    residual = network.weight.copy()
    batches: list[tuple[int, ...]] = [()] * len(network.nodes)
    for node in nodes:
        batch = optimal_batch(network, node, np.flatnonzero(residual > 0))
        batches[node] = batch
        residual[list(batch)] = 0.0
    return unproven(network, batches)
