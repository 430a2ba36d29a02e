"""Measurements of techniques as files: measurements/compression/NAME/."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pandas as pd

from edgebatch.errors import InputError
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.schema import read
from edgebatch_artifact.compression.measurement import FORMAT, TABLES, Machine, Techniques
from edgebatch_artifact.storage.csv_file import read_csv
from edgebatch_artifact.storage.files import write


def write_machine(folder: Path, machine: Machine) -> None:
    """Write measurement.json."""
    text = json.dumps({"format": FORMAT, **dataclasses.asdict(machine)}, indent=1)
    write(folder / "measurement.json", text + "\n")


def read_machine(folder: Path) -> Machine:
    """Read measurement.json."""
    path = folder / "measurement.json"
    try:
        if not path.exists():
            raise InputError("", "no such file", "a measurement: make compress NAME=" + folder.name)
        data = parse_json(read_text(path))
        found = data.pop("format", None) if isinstance(data, dict) else None
        if found != FORMAT:
            raise InputError("format", repr(found), FORMAT)
        return read(Machine, data)
    except InputError as error:
        raise error.at(str(path)) from None


def read_rows(folder: Path, name: str) -> pd.DataFrame:
    """A table of a measurement, without rows where it has none yet."""
    path = folder / f"{name}.csv"
    table = read_csv(path) if path.exists() else pd.DataFrame(columns=list(TABLES[name]))
    if tuple(table.columns) != TABLES[name]:
        raise InputError("line 1", ",".join(table.columns), ",".join(TABLES[name]), str(path))
    return table


def write_rows(folder: Path, name: str, run: str, rows: list[tuple[object, ...]]) -> None:
    """Put the rows of a run into a table in place of those that it had, runs in alphabetical order."""
    before = read_rows(folder, name)
    new = pd.DataFrame(rows, columns=list(TABLES[name]))
    parts = [part for part in (before[before["run"] != run], new) if not part.empty]
    after = pd.concat(parts, ignore_index=True) if parts else new
    after = after.sort_values("run", kind="stable")
    write(folder / f"{name}.csv", after.to_csv(index=False, lineterminator="\n"))


def drop_run(folder: Path, run: str) -> None:
    """Remove the rows of a run from all tables that have some."""
    for name in TABLES:
        if (read_rows(folder, name)["run"] == run).any():
            write_rows(folder, name, run, [])


def read_techniques(folder: Path) -> Techniques:
    """Read a whole measurement."""
    machine, summary = read_machine(folder), read_csv(folder / "summary.csv")
    return Techniques(machine, read_rows(folder, "layers"), read_rows(folder, "sequences"), summary)
