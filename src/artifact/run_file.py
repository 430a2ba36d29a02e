"""The file of a run, read back: a result counts if it is what its name says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from artifact.setting import identity
from artifact.simulate import FORMAT
from edgebatch.errors import InputError


def read_run(path: Path) -> dict[str, Any]:
    """Read a result that is named by its setting and its code.

    Raises
    ------
    InputError
        If it is not there, damaged, or the result of another setting or code.
    """
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        named = path.stem == f"{run['id']}-{run['code']}"
        honest = named and run["format"] == FORMAT and run["id"] == identity(run["setting"])
        honest = honest and bool(run["replicates"])
    except (OSError, ValueError, KeyError, TypeError):
        honest = False
    if not honest:
        expected = f"the run {path.stem} (delete the file to simulate it again)"
        raise InputError("id", "another setting or a damaged file", expected, str(path))
    return run
