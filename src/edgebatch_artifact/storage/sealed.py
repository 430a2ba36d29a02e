"""JSON files that carry a digest of their own bytes and name: one that is cut short, edited or renamed shows.

The digest stands in the first line, so that to check a file takes a read and a hash, and no parsing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def seal(data: dict[str, Any], name: str) -> str:
    """The text of a file `name` (without its ending) that holds `data`, which is not empty."""
    rest = json.dumps(data, indent=1).removeprefix("{\n") + "\n"
    return _head(rest.encode(), name).decode() + rest


def is_sealed(path: Path) -> bool:
    """Whether a file is there, and just as `seal` made it for this name."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    rest = content[len(_head(b"", "")) :]
    return content == _head(rest, path.stem) + rest


def read_sealed(path: Path) -> dict[str, Any] | None:
    """What a file holds, besides its digest; None if it is not as `seal` made it."""
    if not is_sealed(path):
        return None
    data = json.loads(path.read_bytes())
    del data["digest"]
    return dict(data)


def _head(rest: bytes, name: str) -> bytes:
    digest = hashlib.sha256(f"{name}\n".encode() + rest).hexdigest()
    return f'{{\n "digest": "{digest}",\n'.encode()
