"""Methods that serve several nodes, one per file; the registry is the list of files.

A module has a function ``schedule(network, *, <its options>) -> NetworkSchedule``. Its upper bound may be the
weight of all requests; one that proves better bounds itself says so by ``PROVES = True``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from edgebatch import registry
from edgebatch.network.problem import NetworkSchedule


def names() -> tuple[str, ...]:
    """Names of all methods, in alphabetical order. Imports none of them."""
    return registry.names(__name__)


def module(name: str) -> ModuleType:
    """Return the module of the method `name`.

    Raises
    ------
    InputError
        If there is no such method.
    """
    return registry.module(__name__, name, "method")


def get(name: str) -> Callable[..., NetworkSchedule]:
    """Return the function ``schedule(network, *, ...)`` of the method `name`."""
    function: Callable[..., NetworkSchedule] = module(name).schedule
    return function


def proves(name: str) -> bool:
    """Whether the method `name` proves an upper bound of its own."""
    return getattr(module(name), "PROVES", False)


def options(name: str) -> dict[str, Any]:
    """Return the options of the method `name`, each with its default."""
    return registry.options(get(name))
