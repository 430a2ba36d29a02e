"""Association by load: each request goes to the node that is least loaded so far, then an exact batch."""

from __future__ import annotations

import numpy as np

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.search.nodes import servable, with_association
from edgebatch.search.loads import loads


def schedule(network: Network) -> NetworkSchedule:
    """Associate requests in order of arrival, each with the node that is least loaded with it.

    The load of a node is the largest of its budgets' loads: the sum of the shares of each band, of the
    memory beside the weights and of the compute slot that the requests associated with it take alone.
    """
    needed = np.full((len(network.nodes), 4, network.size), np.inf)
    for node, (reach, instance) in enumerate(zip(network.reach, network.instances, strict=True)):
        padded = instance.padded(instance.prompt_tokens)
        slot_s = instance.system.slots.compute_s
        needed[node][:, reach] = loads(instance, np.arange(instance.size), padded, slot_s)
    able = servable(network)
    load, home = np.zeros((len(network.nodes), 4)), np.full(network.size, -1)
    for request in np.flatnonzero(able.any(axis=0)):
        with_it = np.where(able[:, request], (load + needed[:, :, request]).max(axis=1), np.inf)
        home[request] = with_it.argmin()
        load[home[request]] += needed[home[request], :, request]
    return with_association(network, home)
