"""JSON from files: each fault in the text is one line for people, and a key that stands twice is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.schema import describe


def read_json(path: Path) -> Any:
    """Read the data in a JSON file.

    Raises
    ------
    InputError
        If the file cannot be read or is not JSON; the error names the file, and the place in it.
    """
    text = read_text(path)
    try:
        return parse_json(text)
    except InputError as error:
        raise error.at(str(path)) from None


def read_text(path: Path | None) -> str:
    """Read the text of a file, a named pipe, or standard input if `path` is None.

    Raises
    ------
    InputError
        If it cannot be read, or is not UTF-8; the error names the file.
    """
    where = "standard input" if path is None else str(path)
    try:
        return (sys.stdin.buffer.read() if path is None else path.read_bytes()).decode()
    except IsADirectoryError:
        raise InputError("", "a directory", "a readable file", where) from None
    except OSError as error:
        raise InputError("", (error.strerror or "no access").lower(), "a readable file", where) from None
    except UnicodeDecodeError as error:
        raise InputError("", f"byte {error.start} that is not UTF-8", "text in UTF-8", where) from None
    except ValueError:
        raise InputError("", "a null character", "a path without one", where) from None


def parse_json(text: str) -> Any:
    """Read the data in JSON text.

    A byte order mark at the start is ignored. NaN and infinities are read: the check of their key refuses
    them, and names it.

    Raises
    ------
    InputError
        If the text is not JSON; the error names the line and column, or the key that stands twice.
    """
    text = text.removeprefix("\ufeff")
    try:
        return json.loads(text, parse_int=_whole, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        here = text[error.pos :].partition("\n")[0]
        found = describe(here[:12] + "..." * (len(here) > 12)) if here else "the end of a line"
        expected = f"JSON ({error.msg[:1].lower()}{error.msg[1:]})"
        raise InputError(f"line {error.lineno}, column {error.colno}", found, expected) from None
    except RecursionError:
        raise InputError("", "nesting without end", "JSON of a few levels") from None


def format_of(text: str) -> str:
    """What JSON text says under ``format``; empty where it says nothing, or cannot be read."""
    try:
        data = parse_json(text)
    except InputError:
        return ""
    return str(data.get("format", "")) if isinstance(data, dict) else ""


def _whole(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        found = f"{digits[:12]}..., a number of {len(digits)} digits"
        raise InputError("", found, "numbers that can be read") from None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InputError(twice, "the key twice", "each key once")
    return mapping
