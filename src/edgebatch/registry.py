"""Folders to which people add by adding a file: a registry is the list of files of its folder."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

from edgebatch.errors import InputError, one_of


@cache
def names(package: str) -> tuple[str, ...]:
    """Names of a package's modules in alphabetical order, private ones left out. Imports none of them."""
    path = importlib.import_module(package).__path__
    return tuple(sorted(found.name for found in pkgutil.iter_modules(path) if not found.name.startswith("_")))


def module(package: str, name: str, kind: str) -> ModuleType:
    """Return a module of a package.

    Parameters
    ----------
    kind
        What the module is, as the error names it.

    Raises
    ------
    InputError
        If there is no such module.
    """
    if name not in names(package):
        raise InputError(kind, repr(name), one_of(name, names(package)))
    return importlib.import_module(f"{package}.{name}")


def options(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the keyword-only parameters of a function, each with its default."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
