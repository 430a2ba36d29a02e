"""The file of a result: it counts if it is just what a simulation stored under its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.setting import identity
from edgebatch_artifact.storage.files import write
from edgebatch_artifact.storage.sealed import is_sealed, read_sealed, seal

FORMAT = "edgebatch-run/2"


def result_path(results: Path, name: str) -> Path:
    """File of the result `name`, which is made of setting and code: ``<id>-<code>``."""
    return results / "runs" / f"{name}.json"


def is_stored(results: Path, name: str) -> bool:
    """Whether a result is there, just as it was stored."""
    return is_sealed(result_path(results, name))


def store_result(results: Path, name: str, setting: object, replicates: list[dict[str, float]]) -> None:
    """Store what a simulation of a setting gave; refuse it under the name of another setting."""
    id_, _, code = name.partition("-")
    path = result_path(results, name)
    if identity(setting) != id_:
        raise InputError("", "another setting", f"that of {name}", str(path))
    content = {"format": FORMAT, "id": id_, "code": code, "setting": setting, "replicates": replicates}
    write(path, seal(content, name))


def read_result(results: Path, name: str) -> dict[str, Any]:
    """Read a result; refuse one that is missing, damaged, or of another name."""
    path = result_path(results, name)
    stored = read_sealed(path)
    if stored is None:
        expected = f"the run {path.stem} as it was stored (the same command again simulates it anew)"
        raise InputError("", "other content" if path.exists() else "nothing", expected, str(path))
    return stored
