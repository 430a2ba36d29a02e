"""A measurement of a machine and its engine, as it is stored: measurements/engine/NAME/."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from edgebatch.errors import InputError, one_of
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.model.llm import Llm
from edgebatch.schema import Checked, integer, read, real
from edgebatch_artifact.settings.engine import EngineConfig
from edgebatch_artifact.storage.csv_file import read_csv
from edgebatch_artifact.storage.files import write

FORMAT = "edgebatch-measurement/1"

STEPS = ("repetition", "format", "stage", "batch", "tokens", "seconds")
"""Columns of steps.csv: `tokens` of each prompt or context, `seconds` of the first stage or of a step."""

PERPLEXITY = ("format", "sequence", "mean_nll")
"""Columns of perplexity.csv: mean negative log-likelihood of the tokens of each answer."""

BATCHES = (
    "scheduler",
    "margin",
    "epoch",
    "start_s",
    "served",
    "padded_prompt_tokens",
    "solve_s",
    "predicted_s",
    "deadline_s",
    "measured_s",
)
"""Columns of batches.csv, a row for each epoch; those of `edgebatch.engine.epochs.EpochRun`."""

REQUESTS = (
    "scheduler",
    "margin",
    "request",
    "arrival_s",
    "prompt_tokens",
    "output_tokens",
    "latency_s",
    "predicted_in_time",
    "answered_s",
)
"""Columns of requests.csv: whether the simulation serves each in time, and when it was answered, if ever."""

TABLES = {"steps": STEPS, "perplexity": PERPLEXITY, "batches": BATCHES, "requests": REQUESTS}


class FormatSize(Checked):
    """Size of the weights in one format."""

    parameters: int = integer(at_least=1)
    weight_bytes: int = integer(at_least=1)

    @property
    def bits(self) -> float:
        """Bits of a weight in the mean, scales included; norms in 32 bits do not lift it above 16."""
        return min(16.0, 8 * self.weight_bytes / self.parameters)


class Machine(Checked):
    """Where and with what it was measured: measurement.json.

    Attributes
    ----------
    flops, bandwidth_bytes_per_s
        Peaks by a matrix product and by a copy, of all threads together.
    engine
        Versions of the bindings and of llama.cpp.
    model, model_sha256
        Name of the GGUF file and digest of its bytes.
    settings
        conf/engine.yaml as it was.
    """

    date: str
    system: str
    python: str
    processor: str
    cores: int = integer(at_least=1)
    threads: int = integer(at_least=1)
    memory_bytes: float = real(above=0)
    flops: float = real(above=0)
    bandwidth_bytes_per_s: float = real(above=0)
    engine: str
    model: str
    model_sha256: str
    llm: Llm
    formats: dict[str, FormatSize]
    settings: EngineConfig


@dataclass(frozen=True)
class Measurement:
    """A whole measurement.

    Attributes
    ----------
    name
        Of its folder.
    steps, perplexity, batches, requests
        Tables with the columns of `TABLES`.
    """

    name: str
    machine: Machine
    steps: pd.DataFrame
    perplexity: pd.DataFrame
    batches: pd.DataFrame
    requests: pd.DataFrame


def machine_text(machine: Machine) -> str:
    """The content of measurement.json."""
    return json.dumps({"format": FORMAT, **dataclasses.asdict(machine)}, indent=1) + "\n"


def read_machine(folder: Path) -> Machine:
    """Read measurement.json."""
    path = folder / "measurement.json"
    try:
        if not path.exists():
            raise InputError("", "no such file", "a measurement: make measure NAME=" + folder.name)
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


def median_spread(steps: pd.DataFrame) -> float:
    """Median over points of (largest - least) / median of the repetitions."""
    times = steps.groupby(["format", "stage", "batch", "tokens"])["seconds"]
    return float(((times.max() - times.min()) / times.median()).median())


def choose(folder: Path, name: str) -> Path:
    """The folder of a measurement by its name."""
    known = sorted(path.name for path in folder.glob("*") if path.is_dir())
    if name not in known:
        raise InputError("measurement", repr(name), one_of(name, known) + ", or: make measure NAME=" + name)
    return folder / name
