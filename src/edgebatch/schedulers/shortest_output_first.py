"""Shortest output first: the requests that take the least compute time and memory after the first token."""

from __future__ import annotations

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by output length, and skip what would break a constraint."""
    return admit_by(instance, instance.output_tokens)
