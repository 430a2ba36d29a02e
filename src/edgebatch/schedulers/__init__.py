"""Schedulers, one per file; the registry is the list of files.

A scheduler module has a function ``schedule(instance, *, <its options>) -> Schedule``. The defaults of
its signature hold for the library; experiments set its options in conf/scheduler/.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

from edgebatch.errors import InputError, one_of
from edgebatch.problem import Schedule


@cache
def names() -> tuple[str, ...]:
    """Names of all schedulers, in alphabetical order. Imports none of them."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def get(name: str) -> Callable[..., Schedule]:
    """Return the function ``schedule(instance, *, ...)`` of the scheduler `name`.

    Raises
    ------
    InputError
        If there is no such scheduler.
    """
    if name not in names():
        raise InputError("scheduler", repr(name), one_of(name, names()))
    function: Callable[..., Schedule] = importlib.import_module(f"{__name__}.{name}").schedule
    return function


def options(name: str) -> dict[str, Any]:
    """Return the options of the scheduler `name`, each with its default."""
    parameters = inspect.signature(get(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
