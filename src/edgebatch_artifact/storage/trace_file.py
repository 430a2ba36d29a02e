"""Traces of requests: files that settings name by path and content."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from edgebatch.errors import InputError
from edgebatch.io.json_text import read_text
from edgebatch.io.request_table import parse_requests
from edgebatch.model.trace import Trace, TraceFile


def name_trace(path: str) -> TraceFile:
    """How a setting names the trace in a file, which is read and checked."""
    text = read_text(Path(path))
    _parse(text, path)
    return TraceFile(path, _digest(text))


def read_trace(file: TraceFile) -> Trace:
    """The trace that a setting names; refuses a file that has other content by now."""
    text = read_text(Path(file.path))
    if _digest(text) != file.sha256:
        raise InputError("", "another content", f"that of the setting, sha256 {file.sha256}", file.path)
    return _parse(text, file.path)


def is_current(file: TraceFile) -> bool:
    """Whether a file still has the content that a setting names."""
    try:
        return _digest(read_text(Path(file.path))) == file.sha256
    except InputError:
        return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _parse(text: str, path: str) -> Trace:
    return parse_requests(text, path)
