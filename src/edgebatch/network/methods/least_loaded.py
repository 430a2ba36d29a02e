"""Association by load: each request, in order of arrival, belongs to the node with the least to do."""

import numpy as np

from edgebatch.network.methods._association import able, schedule_associated
from edgebatch.network.problem import Network, NetworkSchedule


def schedule(network: Network) -> NetworkSchedule:
    """Associate by the compute time of all who belong to a node already; then exact batches.

    The load of a node is the sum of the times that its requests would take alone.
    """
    alone_s = np.where(able(network), _alone_s(network), np.inf)
    load_s, home = np.zeros(len(network.nodes)), np.full(network.size, -1)
    for request in range(network.size):
        after_s = load_s + alone_s[:, request]
        node = int(after_s.argmin())
        if np.isfinite(after_s[node]):
            home[request], load_s[node] = node, after_s[node]
    return schedule_associated(network, home)


def _alone_s(network: Network) -> np.ndarray:
    """Compute time of each request alone at each node, shape (nodes, requests)."""
    times_s = np.full((len(network.nodes), network.size), np.inf)
    for node, (requests, instance) in enumerate(zip(network.reach, network.instances, strict=True)):
        times_s[node, requests] = instance.alone_s()
    return times_s
