"""Association by channel: each request belongs to the node where it needs the least of the bands."""

import numpy as np

from edgebatch.network.methods._association import able, schedule_associated
from edgebatch.network.problem import Network, NetworkSchedule


def schedule(network: Network) -> NetworkSchedule:
    """Associate by the sum of both shares, among nodes that could serve the request; then exact batches."""
    here = able(network)
    share = np.where(here, network.uplink_share + network.downlink_share, np.inf)
    return schedule_associated(network, np.where(here.any(axis=0), share.argmin(axis=0), -1))
