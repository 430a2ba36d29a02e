"""Earliest deadline first: the requests with the least slack, as a scheduler of single tasks would."""

from __future__ import annotations

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by slack, and skip what would break a constraint."""
    return admit_by(instance, instance.slack_s)
