"""Earliest deadline first: take the requests with the least slack, as a scheduler of single tasks does."""

from __future__ import annotations

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by slack, and skip those that break a constraint.

    This order is optimal for tasks that run one after another (Liu and Layland, Journal of the ACM 20(1),
    1973). A batch has one deadline for all of its requests, so that the most urgent one leaves time for
    few others.
    """
    return admit_by(instance, instance.slack_s)
