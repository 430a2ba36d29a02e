"""Association by best channel: each request goes where it needs least of the bands, then an exact batch."""

from __future__ import annotations

import numpy as np

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.search.nodes import servable, with_association


def schedule(network: Network) -> NetworkSchedule:
    """Associate each request with the node of its least shares of both bands, of those that can serve it."""
    needed = np.where(servable(network), network.uplink_share + network.downlink_share, np.inf)
    return with_association(network, np.where(np.isfinite(needed.min(axis=0)), needed.argmin(axis=0), -1))
