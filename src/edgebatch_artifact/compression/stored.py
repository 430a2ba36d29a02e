"""Measurements of techniques as files: measurements/compression/NAME/."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from edgebatch.errors import InputError
from edgebatch_artifact.compression.measurement import FORMAT, REFERENCE, TABLES, Machine, Techniques
from edgebatch_artifact.storage import measured_folder
from edgebatch_artifact.storage.csv_file import read_csv
from edgebatch_artifact.storage.files import write


def write_machine(folder: Path, machine: Machine) -> None:
    """Write measurement.json."""
    write(folder / measured_folder.MACHINE, measured_folder.machine_text(machine, FORMAT))


def read_machine(folder: Path) -> Machine:
    """Read measurement.json."""
    return measured_folder.read_machine(Machine, folder, FORMAT, "make compress")


def read_rows(folder: Path, name: str) -> pd.DataFrame:
    """A table of a measurement, without rows where it has none yet."""
    return measured_folder.read_rows(folder, name, TABLES[name])


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
    """Read a whole measurement.

    Raises
    ------
    InputError
        If it is not there, is of another version, or lacks runs.
    """
    machine = read_machine(folder)
    layers, sequences = (read_rows(folder, name) for name in ("layers", "sequences"))
    done, path = set(sequences["run"]), folder / "summary.csv"
    if not path.exists() or not {REFERENCE, *machine.runs} <= done:
        found = f"{len(done & machine.runs.keys())} runs" if path.exists() else "no such file"
        expected = f"{len(machine.runs)} runs: make compress NAME={folder.name} goes on"
        raise InputError("", found, expected, str(path))
    return Techniques(machine, layers, sequences, read_csv(path))
