"""Methods that serve several nodes, one per file; the registry is the list of files.

A module has a function ``schedule(network, *, <its options>) -> NetworkSchedule``. Its upper bound may be the
weight of all requests; one that proves better bounds itself says so by ``PROVES = True``.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

from edgebatch.errors import InputError, one_of
from edgebatch.network.problem import NetworkSchedule


@cache
def names() -> tuple[str, ...]:
    """Names of all methods, in alphabetical order. Imports none of them."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def module(name: str) -> ModuleType:
    """Return the module of the method `name`.

    Raises
    ------
    InputError
        If there is no such method.
    """
    if name not in names():
        raise InputError("method", repr(name), one_of(name, names()))
    return importlib.import_module(f"{__name__}.{name}")


def get(name: str) -> Callable[..., NetworkSchedule]:
    """Return the function ``schedule(network, *, ...)`` of the method `name`."""
    function: Callable[..., NetworkSchedule] = module(name).schedule
    return function


def proves(name: str) -> bool:
    """Whether the method `name` proves an upper bound of its own."""
    return getattr(module(name), "PROVES", False)


def options(name: str) -> dict[str, Any]:
    """Return the options of the method `name`, each with its default."""
    parameters = inspect.signature(get(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
