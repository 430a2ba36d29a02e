"""The folder of a measurement: measurement.json, and tables whose columns are fixed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from edgebatch.errors import InputError
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.schema import Checked, read
from edgebatch_artifact.storage.csv_file import read_csv

MACHINE = "measurement.json"
"""File that says where and with what it was measured."""

T = TypeVar("T", bound=Checked)


def machine_text(machine: Checked, format: str) -> str:
    """The content of measurement.json."""
    return json.dumps({"format": format, **dataclasses.asdict(machine)}, indent=1) + "\n"  # type: ignore[call-overload]


def read_machine(kind: type[T], folder: Path, format: str, command: str) -> T:
    """Read measurement.json.

    Parameters
    ----------
    command
        What makes a measurement of that name.

    Raises
    ------
    InputError
        If it is not there, of another format, or lacks something.
    """
    path = folder / MACHINE
    try:
        if not path.exists():
            raise InputError("", "no such file", f"a measurement: {command} NAME={folder.name}")
        data = parse_json(read_text(path))
        found = data.pop("format", None) if isinstance(data, dict) else None
        if found != format:
            raise InputError("format", repr(found), format)
        return read(kind, data)
    except InputError as error:
        raise error.at(str(path)) from None


def read_rows(folder: Path, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """A table of a measurement, without rows where it has none yet."""
    path = folder / f"{name}.csv"
    table = read_csv(path) if path.exists() else pd.DataFrame(columns=list(columns))
    if tuple(table.columns) != tuple(columns):
        raise InputError("line 1", ",".join(table.columns), ",".join(columns), str(path))
    return table
