"""Which command made which file from what: the record that Snakemake keeps, job by job."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from edgebatch.errors import InputError
from edgebatch_artifact.runs.batch_data import Batch, read_batch

SUMMARY = ("snakemake", "--dry-run", "--detailed-summary")


@dataclass(frozen=True)
class Job:
    """One command, the files that it read and the files that it wrote.

    Attributes
    ----------
    target
        What to ask Snakemake for to have the job done.
    """

    rule: str
    command: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    target: str


def recorded_jobs() -> list[Job]:
    """The jobs that made all files of the workflow in the working directory.

    A batch of simulations counts as a job for each of its settings, with the command that repeats it alone.

    Raises
    ------
    InputError
        If the workflow cannot be read, or a file is missing or not up to date.
    """
    done = subprocess.run([sys.executable, "-m", *SUMMARY], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InputError(" ".join(SUMMARY), said[-1] if said else "no output", "a summary of the workflow")
    return read_summary(done.stdout.splitlines())


def read_summary(lines: Sequence[str]) -> list[Job]:
    """The jobs of a detailed summary, in the order of their targets.

    Raises
    ------
    InputError
        For a file that is missing, not up to date, or of which there is no record.
    """
    simulations: list[Job] = []
    written: dict[tuple[str, str, str], list[str]] = {}
    table = dropwhile(lambda line: not line.startswith("output_file\t"), lines)
    for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
        file, batch = row["output_file"], _batch_of(row["output_file"])
        _check(row, needs_record=batch is None)
        if batch:
            simulations += [
                Job(row["rule"], run.command(), (run.setting,), (run.result,), file) for run in batch.runs
            ]
        else:
            written.setdefault((row["rule"], row["input-file(s)"], row["shellcmd"]), []).append(file)
    others = [
        Job(rule, command, _files(inputs), tuple(sorted(outputs)), min(outputs))
        for (rule, inputs, command), outputs in written.items()
    ]
    return sorted([*simulations, *others], key=lambda job: job.outputs)


def _check(row: dict[str, str], needs_record: bool) -> None:
    found = row["status"] if row["status"] != "ok" else row["plan"]
    if found == "no update" and needs_record and row["shellcmd"] == "-":
        found = "no record of the command that made it"
    if found != "no update":
        raise InputError(row["output_file"], found, "a file that is up to date: run make reproduce")


def _batch_of(file: str) -> Batch | None:
    """The batch whose marker a file is, if it is one."""
    return read_batch(Path(file).with_suffix(".json")) if file.endswith(".done") else None


def _files(names: str) -> tuple[str, ...]:
    """Files of a comma-separated list, in order; the marker of a batch stands for its results."""
    files = set()
    for name in filter(None, names.split(",")):
        batch = _batch_of(name)
        files.update([name] if batch is None else (run.result for run in batch.runs))
    return tuple(sorted(files))
