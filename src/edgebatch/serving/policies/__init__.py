"""Policies of continuous batching, one file each; the registry is the list of files.

Each file has a function ``priority(arrival_s, output_tokens, latency_s)``: the waiting request of least
priority joins first. A policy that refuses requests has a function ``admit(times, limits, load, waiting)``
too, with the types of `edgebatch.serving.admission`; requests enter only after it has chosen them.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from numpy.typing import NDArray

from edgebatch.errors import InputError, one_of


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


@cache
def names() -> tuple[str, ...]:
    """Names of all policies, in alphabetical order. Imports none of them."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def get(name: str) -> Policy:
    """The policy `name`.

    Raises
    ------
    InputError
        If there is no such policy.
    """
    if name not in names():
        raise InputError("policy", repr(name), one_of(name, names()))
    module = importlib.import_module(f"{__name__}.{name}")
    return Policy(module.priority, getattr(module, "admit", None))
