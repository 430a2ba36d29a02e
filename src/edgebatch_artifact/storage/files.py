"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from edgebatch.errors import InputError

PART = ".part-"
"""How the name of a file begins that is being written; a process that is killed leaves it behind."""

LEAST_FREE_BYTES = 2**20
"""Room that every step of the pipeline needs."""


class NoRoom(InputError):
    """A disk, or a quota of it, that is full."""


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
    NoRoom
        If the disk is full; `path` is as it was.
    InputError
        If it cannot be written for another reason.
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
        handle, name = tempfile.mkstemp(prefix=PART, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise _not_written(path, error) from None
    os.close(handle)
    return Path(name)


def _not_written(path: Path, error: OSError) -> InputError:
    if is_full(error):
        return no_room(path)
    found = (error.strerror or "no access").lower()
    if isinstance(error, FileExistsError | NotADirectoryError):
        found = "a file in place of its folder"
    return InputError("", found, "a file that can be written", str(path))


def is_full(error: OSError) -> bool:
    """Whether an error says that the disk, a quota, or the limit of a file's size is reached."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def no_room(path: Path) -> NoRoom:
    """The error that tells people of a full disk."""
    expected = "room for it (free some, then the same command goes on from here)"
    return NoRoom("", "a full disk", expected, str(path))


def check_room(folder: Path) -> None:
    """Raise `NoRoom` if the disk of a folder is as full as a failed write leaves it."""
    if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
        raise no_room(folder.resolve())


def remove_leftovers(tree: Path, folders: Iterable[Path]) -> None:
    """Remove what killed processes left half-written in `tree` and in single folders; none may be at work."""
    found = [tree.rglob(f"{PART}*"), *(folder.glob(f"{PART}*") for folder in folders)]
    for leftover in itertools.chain(*found):
        leftover.unlink(missing_ok=True)
