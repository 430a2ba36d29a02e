"""OT-GAH: node after node takes its best batch by residual profits, as the journal version of the paper proposes.

With an exact search for each node it reaches at least one half of the optimum, in any order of the nodes
(Cohen, Katzir and Raz, Information Processing Letters 100, 2006).
"""

from collections.abc import Sequence

import numpy as np

from edgebatch.errors import InputError
from edgebatch.network.methods._association import batch_of, of_batches
from edgebatch.network.problem import Network, NetworkSchedule


def schedule(network: Network, *, order: Sequence[int] | None = None) -> NetworkSchedule:
    """Invoke the search of one node after the other.

    A node weighs each request with its residual profit: its weight, less what it is worth where it was taken before.
    A request is worth the same at each node, so that nothing is left of those that were taken, and each node takes
    the best batch of the others.

    Parameters
    ----------
    order
        Order of the nodes; that of the network unless given.
    """
    nodes = range(len(network.nodes))
    order = list(nodes) if order is None else list(order)
    if sorted(order) != list(nodes):
        raise InputError("order", str(order), f"every node from 0 to {len(nodes) - 1} once")
    free = np.ones(network.size, dtype=bool)
    batches: dict[int, tuple[int, ...]] = {}
    for node in order:
        batches[node] = batch_of(network, node, network.reach[node][free[network.reach[node]]])
        free[list(batches[node])] = False
    return of_batches(network, tuple(batches[node] for node in nodes))
