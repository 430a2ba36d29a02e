"""Best channel first: the requests that need the smallest shares of the bands."""

from __future__ import annotations

import numpy as np

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by the larger of their two shares, and skip what would break a constraint.

    The larger one counts, because a batch ends where either band is full. A share is what a channel
    costs: it holds the gain together with the tokens that have to be moved.
    """
    return admit_by(instance, np.maximum(instance.uplink_share, instance.downlink_share))
