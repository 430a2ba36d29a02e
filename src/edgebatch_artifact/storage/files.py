"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from edgebatch.errors import InputError

PART = ".part-"
"""Prefix of a file that is being written; a killed process leaves it behind."""

LEAST_FREE_BYTES = 2**20
"""Free space that every step of the pipeline needs."""


class NoRoom(InputError):
    """The disk, or a quota, is full."""


def write(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step; make its folder if needed."""
    replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def replace(path: Path, produce: Callable[[Path], object]) -> None:
    """Let `produce` write a temporary file of the same suffix, then move it to `path`.

    Raises `NoRoom` if the disk is full, or an `InputError` if the file cannot be written for another
    reason; `path` is then as it was.
    """
    temporary = path.with_name(f"{PART}{secrets.token_hex(6)}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        produce(temporary)
        temporary.replace(path)
    except OSError as error:
        raise not_written(path, error) from None
    finally:
        if os.path.lexists(temporary):
            temporary.unlink()


def not_written(path: Path, error: OSError) -> InputError:
    """The error that reports a file that could not be written, with the cause."""
    if is_full(error):
        return no_room(path)
    found = (error.strerror or "no access").lower()
    if isinstance(error, FileExistsError | NotADirectoryError):
        folder = next((parent for parent in path.parents if os.path.lexists(parent)), path.parent)
        found = f"{folder}, {'a broken link' if folder.is_symlink() else 'a file'} in place of a folder"
    return InputError("", found, "a file that can be written", str(path))


def is_full(error: OSError) -> bool:
    """Whether an error says that the disk, a quota, or the limit of a file's size is reached."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_room(path: Path) -> NoRoom:
    """The error that reports a full disk."""
    expected = "room for it (free some, then the same command goes on from here)"
    return NoRoom("", "a full disk", expected, str(path))


def check_room(folder: Path) -> None:
    """Raise `NoRoom` if the disk of a folder has less free space than every step needs."""
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        raise no_room(folder.resolve())


def remove_leftovers(tree: Path, folders: Iterable[Path]) -> None:
    """Remove what killed processes left half-written in `tree` and in single folders."""
    for leftover in [*tree.rglob(f"{PART}*"), *(path for f in folders for path in f.glob(f"{PART}*"))]:
        leftover.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
