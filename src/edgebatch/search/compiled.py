"""Compiled functions whose cache may be damaged, or impossible.

Numba keeps machine code in files beside the source. It raises if it may not write there, and for ever once a
power cut has left such a file empty or cut short. Here both cost a compilation and a line on standard error.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

Compiler = Callable[[Callable[..., Any]], Any]


def compiled(**options: Any) -> Compiler:
    """Compile a function with `numba.njit` and its options, cached wherever that is possible."""

    def compile_(function: Callable[..., Any]) -> Any:
        try:
            return njit(cache=True, **options)(function)
        except RuntimeError:  # no folder that Numba may write to
            _report("no folder for compiled code can be written; compiling anew (NUMBA_CACHE_DIR names one)")
            return njit(**options)(function)

    return compile_


def call(function: Any, *arguments: Any) -> Any:
    """Call a compiled function from Python; what it raises once for a damaged cache is mended.

    Whatever can be wrong with a cached file, and Numba's loader may raise anything, it is compiled again. An
    error of another kind returns, as it has nothing to do with the files that are gone by then.
    """
    try:
        return function(*arguments)
    except Exception:
        if not _forget_cache(function):
            raise
        _report("the cache of compiled code is damaged; compiling anew")
        return function(*arguments)


def _forget_cache(function: Any) -> bool:
    """Delete the cached code of this package; whether there was any."""
    folder = getattr(getattr(function, "stats", None), "cache_path", None)
    cached = [*Path(folder).glob("*.nbi"), *Path(folder).glob("*.nbc")] if folder else []
    for path in cached:
        path.unlink(missing_ok=True)
    return bool(cached)


@functools.cache
def _report(text: str) -> None:
    """Print a line on standard error, once."""
    print(f"edgebatch: {text}", file=sys.stderr, flush=True)
