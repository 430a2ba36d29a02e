"""Schedulers, one per file; the registry is the list of files.

A scheduler module has a function ``schedule(instance, *, <its options>) -> Schedule``. The defaults of
its signature hold for the library; experiments set its options in conf/scheduler/. One that maximizes the sum
of weights, and not only the number of requests, says so by ``TAKES_WEIGHTS = True``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from edgebatch import registry
from edgebatch.errors import InputError
from edgebatch.problem import Instance, Schedule


def names() -> tuple[str, ...]:
    """Names of all schedulers, in alphabetical order. Imports none of them."""
    return registry.names(__name__)


def get(name: str) -> Callable[..., Schedule]:
    """Return the function ``schedule(instance, *, ...)`` of the scheduler `name`.

    Raises
    ------
    InputError
        If there is no such scheduler.
    """
    function: Callable[..., Schedule] = _module(name).schedule
    return function


def refuse_weights(instance: Instance, name: str) -> None:
    """Raise an InputError for a request with a weight other than 1 if the scheduler `name` takes none."""
    if instance.weighted and not takes_weights(name):
        other = int(np.flatnonzero(instance.weight != 1)[0])
        able = ", ".join(filter(takes_weights, names()))
        expected = f"1, as {name} takes no weights, or one of the schedulers {able}"
        raise InputError(f"requests[{other}].weight", instance.weight[other].item(), expected)


def takes_weights(name: str) -> bool:
    """Whether the scheduler `name` maximizes the sum of weights."""
    return getattr(_module(name), "TAKES_WEIGHTS", False)


def options(name: str) -> dict[str, Any]:
    """Return the options of the scheduler `name`, each with its default."""
    return registry.options(get(name))


def _module(name: str) -> ModuleType:
    return registry.module(__name__, name, "scheduler")
