"""Shortest output first: take the requests that need the least compute time and memory in decoding."""

from __future__ import annotations

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by output length, and skip those that break a constraint."""
    return admit_by(instance, instance.output_tokens)
