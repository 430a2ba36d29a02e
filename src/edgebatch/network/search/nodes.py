"""An exact batch of one node of a network, and of each node for itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.schedulers import surrogate


def optimal_batch(network: Network, node: int, requests: NDArray[np.int64]) -> tuple[int, ...]:
    """The batch of most weight of a node out of some requests, as indices into the network, rising.

    Parameters
    ----------
    requests
        Indices into the network, rising; those out of reach are left out.
    """
    own = np.intersect1d(requests, network.reach[node], assume_unique=True)
    chosen = surrogate.schedule(network.instance(node, own)).selected
    return tuple(own[list(chosen)].tolist())


def with_association(network: Network, home: NDArray[np.int64]) -> NetworkSchedule:
    """An optimal batch of each node out of the requests that are associated with it.

    Parameters
    ----------
    home
        Node of each request, -1 for none, shape (requests,).
    """
    batches = tuple(
        optimal_batch(network, node, np.flatnonzero(home == node)) for node in range(len(network.nodes))
    )
    return unproven(network, batches)


def unproven(network: Network, batches: Sequence[Sequence[int]]) -> NetworkSchedule:
    """A schedule of which is known only that nobody can serve more than all requests."""
    weight = network.weight_of([i for batch in batches for i in batch])
    return NetworkSchedule(tuple(map(tuple, batches)), weight, network.weight_of(range(network.size)))


def servable(network: Network) -> NDArray[np.bool_]:
    """Which requests each node could serve alone, shape (nodes, requests)."""
    able = np.zeros((len(network.nodes), network.size), np.bool_)
    for node, (reach, instance) in enumerate(zip(network.reach, network.instances, strict=True)):
        able[node, reach[instance.servable()]] = True
    return able
