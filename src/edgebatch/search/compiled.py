"""The decorator of compiled functions: `numba.njit` with a cache that damage or a lack of rights cannot stop."""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit


def compiled(error_model: str = "python") -> Callable[[Callable[..., Any]], Any]:
    """Compile a function by `numba.njit` when it is first called, and cache its machine code in a file.

    Numba raises an error where it cannot write a cache, and where a file of its cache is empty or cut, as a
    power cut leaves it. Here a damaged file is removed, so that Numba compiles and stores the function anew.
    Without a folder to write to, the function is compiled in each process: a folder that all users share, as
    ``/tmp``, is no substitute, since loading machine code means to trust it. Either makes a `RuntimeWarning`.

    Parameters
    ----------
    error_model
        Whether a division by zero raises an error, "python", or gives infinity or NaN, "numpy".
    """

    def decorate(function: Callable[..., Any]) -> Any:
        try:
            cached = njit(cache=True, error_model=error_model)(function)
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
