"""Policies of continuous batching, one file each; the registry is the list of files.

Each file has a function ``priority(arrival_s, output_tokens, latency_s)``: the waiting request of least
priority joins first. A policy that refuses requests has a function ``admit(times, limits, load, waiting)``
too, with the types of `edgebatch.serving.admission`; requests enter only after it has chosen them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numpy.typing import NDArray

from edgebatch import registry


class Policy(NamedTuple):
    """The functions of a policy's file.

    Attributes
    ----------
    priority
        Of each request, from arrivals (s), output lengths as far as they are known (tokens), and latency
        requirements (s), each of shape (requests,).
    admit
        Which of the waiting requests may enter; None for a policy that lets everybody in.
    """

    priority: Callable[..., NDArray[Any]]
    admit: Callable[..., NDArray[Any]] | None


def names() -> tuple[str, ...]:
    """Names of all policies, in alphabetical order. Imports none of them."""
    return registry.names(__name__)


def get(name: str) -> Policy:
    """The policy `name`.

    Raises
    ------
    InputError
        If there is no such policy.
    """
    module = registry.module(__name__, name, "policy")
    return Policy(module.priority, getattr(module, "admit", None))
