"""Measurements as files: measurements/engine/NAME/."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from edgebatch.errors import InputError, one_of
from edgebatch_artifact.engine.measurement import FORMAT, TABLES, Machine, Measurement, median_spread
from edgebatch_artifact.storage import measured_folder
from edgebatch_artifact.storage.files import write


def machine_text(machine: Machine) -> str:
    """The content of measurement.json."""
    return measured_folder.machine_text(machine, FORMAT)


def read_machine(folder: Path) -> Machine:
    """Read measurement.json."""
    return measured_folder.read_machine(Machine, folder, FORMAT, "make measure")


def read_rows(folder: Path, name: str) -> pd.DataFrame:
    """A table of a measurement, without rows where it has none yet."""
    return measured_folder.read_rows(folder, name, TABLES[name])


def add_rows(folder: Path, name: str, rows: pd.DataFrame) -> None:
    """Append rows to a table, whole or not at all."""
    before = read_rows(folder, name)
    after = rows if before.empty else pd.concat([before, rows], ignore_index=True)
    # all digits, so that what is written is what was fitted
    write(folder / f"{name}.csv", after.to_csv(index=False, lineterminator="\n"))


def read_measurement(folder: Path) -> Measurement:
    """Read a whole measurement.

    Raises
    ------
    InputError
        If it is not there, is of another version, is cut short, or spreads more than it may.
    """
    machine = read_machine(folder)
    tables = {name: read_rows(folder, name) for name in TABLES}
    settings, go_on = machine.settings, f"make measure NAME={folder.name} goes on"
    expected = len(settings.points) * settings.repetitions * len(settings.formats)
    if len(tables["steps"]) < expected:
        raise InputError(
            "", f"{len(tables['steps'])} rows", f"{expected}: {go_on}", str(folder / "steps.csv")
        )
    runs = {(run.scheduler, margin) for run in settings.replay.runs for margin in run.margins}
    found = set(zip(tables["requests"]["scheduler"], tables["requests"]["margin"], strict=True))
    if runs - found:
        raise InputError("", f"{len(found)} runs", f"{len(runs)}: {go_on}", str(folder / "requests.csv"))
    spread = median_spread(tables["steps"])
    if spread > settings.most_spread:
        expected_spread = f"at most {100 * settings.most_spread:g} %: measure it while nothing else runs"
        raise InputError(
            "seconds", f"a spread of {100 * spread:.0f} %", expected_spread, str(folder / "steps.csv")
        )
    return Measurement(folder.name, machine, **tables)


def choose(folder: Path, name: str) -> Path:
    """The folder of a measurement by its name."""
    known = sorted(path.name for path in folder.glob("*") if path.is_dir())
    if name not in known:
        raise InputError("measurement", repr(name), one_of(name, known) + ", or: make measure NAME=" + name)
    return folder / name
