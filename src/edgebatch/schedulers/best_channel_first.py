"""Best channel first: take the requests that need the smallest shares of the bands."""

from __future__ import annotations

import numpy as np

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by the larger of their two shares, and skip those that break a constraint.

    The larger share counts, because a batch is full when either band is. A share depends on the channel
    gain and on the tokens to move.
    """
    return admit_by(instance, np.maximum(instance.uplink_share, instance.downlink_share))
