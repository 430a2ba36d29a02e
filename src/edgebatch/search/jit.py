"""Decorator of the compiled functions: `numba.njit` that also works if its cache is damaged or read-only."""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from numba import njit


def compiled(error_model: Literal["python", "numpy"] = "python") -> Callable[[Callable[..., Any]], Any]:
    """Compile a function by `numba.njit` when it is first called, and cache its machine code in a file.

    A file of the cache that is empty, cut or unreadable, as a power cut may leave it, is removed, and Numba
    compiles the function again. If no folder for the cache can be written, the function is compiled in each
    process. Both are told by a `RuntimeWarning`. A folder that all users share, such as ``/tmp``, is not used
    instead, since machine code that is loaded has to be trusted.

    Parameters
    ----------
    error_model
        Whether a division by zero raises an error, "python", or gives infinity or NaN, "numpy".
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            cached: Any = njit(cache=True, error_model=error_model)(function)
            # under NUMBA_DISABLE_JIT this is the plain function, which has no cache
            if cached is not function:
                _remove_damaged(Path(cached.stats.cache_path), function)
        except (RuntimeError, OSError):
            folder = Path(function.__code__.co_filename).parent / "__pycache__"
            warnings.warn(
                f"{folder}: compiled code cannot be stored here and is compiled in each process; "
                "set NUMBA_CACHE_DIR to a folder that can be written",
                RuntimeWarning,
                stacklevel=1,
            )
            return njit(error_model=error_model)(function)
        return cached

    return decorate


def _remove_damaged(folder: Path, function: Callable[..., Any]) -> None:
    """Remove the files of the function's cache that are not whole."""
    names = f"{Path(function.__code__.co_filename).stem}.{function.__qualname__}-*.nb[ci]"
    for file in sorted(folder.glob(names)):
        if not _is_whole(file):
            file.unlink(missing_ok=True)
            # names the folder alone, so that a power cut makes one warning and not fifty
            message = f"{folder}: damaged compiled code is removed and compiled again"
            warnings.warn(message, RuntimeWarning, stacklevel=1)


def _is_whole(file: Path) -> bool:
    """Whether a file can be read, and is one pickle or several without a break, as Numba documents it."""
    try:
        with file.open("rb") as stream:
            pickles = 0
            while stream.peek(1):
                for _ in pickletools.genops(stream):
                    pass
                pickles += 1
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    return pickles > 0
