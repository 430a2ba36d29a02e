"""Decorator of the compiled functions: `numba.njit` that also works if its cache is damaged or read-only."""

from __future__ import annotations

import hashlib
import io
import pickletools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from numba import njit

SEARCH = Path(__file__).parent
"""Folder of the searches."""

BLOCK_BYTES = 4096
"""Size of a file system's block. After a power cut, a block that was not written may read as zeros."""


def compiled(
    error_model: Literal["python", "numpy"] = "python", nogil: bool = False, inner: bool = False
) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function by `numba.njit` when it is first called, and cache its machine code in a file.

    A file of the cache that is unreadable, empty, cut, or has a block of zeros, as a power cut may leave it,
    is removed, and Numba compiles the function again. If no folder for the cache can be written, the function
    is compiled in each process. Both are told by a `RuntimeWarning`. A folder that all users share, such as
    ``/tmp``, is not used instead, since machine code that is loaded has to be trusted.

    Parameters
    ----------
    error_model
        Whether a division by zero raises an error, "python", or gives infinity or NaN, "numpy".
    nogil
        Whether other threads of Python run meanwhile.
    inner
        Whether only compiled code calls the function, so that its machine code is stored with its callers'.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        if inner:
            return njit(error_model=error_model)(function)
        try:
            cached: Any = njit(cache=True, error_model=error_model, nogil=nogil)(function)
            # under NUMBA_DISABLE_JIT this is the plain function, which has no cache
            if cached is not function:
                _remove_stale(Path(cached.stats.cache_path), function)
                _remove_damaged(Path(cached.stats.cache_path), function)
        except (RuntimeError, OSError):
            folder = Path(function.__code__.co_filename).parent / "__pycache__"
            if SEARCH in folder.parents:
                folder = SEARCH  # one warning for all its folders
            warnings.warn(
                f"{folder}: compiled code cannot be stored here and is compiled in each process; "
                "set NUMBA_CACHE_DIR to a folder that can be written",
                RuntimeWarning,
                stacklevel=1,
            )
            return njit(error_model=error_model, nogil=nogil)(function)
        return cached

    return decorate


def _remove_stale(folder: Path, function: Callable[..., Any]) -> None:
    """Remove all stored code of the function's folder if a source file there or of the searches has changed.

    Numba itself compiles a function again if its own file changes, but not if only a function that it
    calls does, in another file.
    """
    own = sorted(Path(function.__code__.co_filename).parent.glob("*.py"))
    sources = sorted({*own, *SEARCH.rglob("*.py")})
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources)).hexdigest()
    stored = folder / "sources.sha256"
    if stored.exists() and stored.read_bytes() == digest.encode():
        return
    for source in own:
        for file in folder.glob(f"{source.stem}.*.nb[ci]"):
            file.unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    stored.write_text(digest)


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
    """Whether a file can be read, holds whole pickles, as Numba documents it, and has no block of zeros.

    The pickles are walked through and not loaded: the classes that they name may not be defined yet.
    """
    try:
        data = file.read_bytes()
        stream = io.BytesIO(data)
        while not data or stream.tell() < len(data):
            for _ in pickletools.genops(stream):
                pass
    except FileNotFoundError:
        return True
    except (OSError, ValueError):
        return False
    # machine code that is partly zeros would end the process when it runs
    zeros = bytes(BLOCK_BYTES)
    return not any(data.startswith(zeros, at) for at in range(0, len(data), BLOCK_BYTES))
