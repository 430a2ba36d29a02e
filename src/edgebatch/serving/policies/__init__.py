"""Policies of continuous batching, one file each: in which order waiting requests join.

Each file has a function `priority`. The registry is the list of files, as for `edgebatch.schedulers`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from edgebatch.errors import InputError, one_of


def names() -> list[str]:
    """Names of all policies."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def get(name: str) -> Callable[..., Any]:
    """The function `priority` of a policy.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if name not in names():
        raise InputError("policy", repr(name), one_of(name, names()))
    function: Callable[..., Any] = importlib.import_module(f"{__name__}.{name}").priority
    return function
