"""The file of a run: a result counts if it is just what a simulation stored under its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch_artifact.storage.sealed import read_sealed, seal

FORMAT = "edgebatch-run/2"


def run_text(run: dict[str, Any]) -> str:
    """The text of the file that stores a result; its name is made of setting and code."""
    return seal(run, f"{run['id']}-{run['code']}")


def read_run(path: Path) -> dict[str, Any]:
    """Read a result that is named by its setting and its code.

    Raises
    ------
    InputError
        If it is not there, damaged, or the result of another setting or code.
    """
    run = read_sealed(path)
    if run is None:
        expected = f"the run {path.stem} as it was stored (the same command again simulates it anew)"
        raise InputError("", "nothing" if not path.exists() else "other content", expected, str(path))
    return run
