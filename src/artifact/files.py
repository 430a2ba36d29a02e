"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from edgebatch.errors import InputError


def write(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, making its folder if need be."""
    replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_if_changed(path: Path, text: str) -> None:
    """Replace `path` by `text` unless it holds just that, so that its time tells when it changed."""
    try:
        if path.read_text(encoding="utf-8") == text:
            return
    except (OSError, UnicodeDecodeError):
        pass
    write(path, text)


def replace(path: Path, produce: Callable[[Path], object]) -> None:
    """Let `produce` write a temporary file of the same suffix, then move it to `path`.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    temporary = _temporary(path)
    try:
        produce(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise _not_written(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    """A new file beside `path`, of the same suffix."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise _not_written(path, error) from None
    os.close(handle)
    return Path(name)


def _not_written(path: Path, error: OSError) -> InputError:
    found = (error.strerror or "no access").lower()
    if isinstance(error, FileExistsError | NotADirectoryError):
        found = "a file in place of its folder"
    return InputError("", found, "a file that can be written", str(path))
