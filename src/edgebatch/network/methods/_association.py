"""Exact batches of nodes whose users are told beforehand which node is theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.schedulers import surrogate


def batch_of(network: Network, node: int, requests: NDArray[np.int64]) -> tuple[int, ...]:
    """The best batch of one node among some requests within its reach."""
    schedule = surrogate.schedule(network.instance(node, requests))
    return tuple(requests[list(schedule.selected)].tolist())


def schedule_associated(network: Network, home: NDArray[np.int64]) -> NetworkSchedule:
    """Each node serves its best batch of those who are associated with it.

    Parameters
    ----------
    home
        The node of each request; -1 where it has none, shape (requests,).
    """
    batches = tuple(
        batch_of(network, node, np.flatnonzero(home == node)) for node in range(len(network.nodes))
    )
    return of_batches(network, batches)


def of_batches(
    network: Network, batches: tuple[tuple[int, ...], ...], bound: float = np.inf
) -> NetworkSchedule:
    """The schedule of some batches, of which no bound is known but `bound`."""
    weight = network.weight_of([i for batch in batches for i in batch])
    return NetworkSchedule(batches, weight, bound)


def able(network: Network) -> NDArray[np.bool_]:
    """Where each request could be served as a batch of one, shape (nodes, requests)."""
    alone = np.zeros((len(network.nodes), network.size), dtype=bool)
    for node, (requests, instance) in enumerate(zip(network.reach, network.instances, strict=True)):
        alone[node, requests[instance.servable()]] = True
    return alone
