"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


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
    """Let `produce` write a temporary file of the same suffix, then move it to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        produce(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
