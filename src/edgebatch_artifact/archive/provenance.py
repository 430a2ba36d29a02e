"""Which command made which file from what: the record that Snakemake keeps, job by job."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from edgebatch.errors import InputError
from edgebatch_artifact.runs.plan import Plan
from edgebatch_artifact.runs.result_file import result_path
from edgebatch_artifact.runs.simulate import repeat_command

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


def recorded_jobs(plan: Plan) -> list[Job]:
    """The jobs that made all files of the workflow in the working directory.

    A batch of simulations counts as a job for each of its settings, with the command that repeats it alone.
    Raises an `InputError` if the workflow cannot be read, or a file is missing or not up to date.
    """
    if plan.missing:
        run = next(iter(plan.missing.values()))[0]
        missing = str(result_path(Path("results"), run.result))
        raise InputError(missing, "no result", "a file that is up to date: run make reproduce")
    done = subprocess.run([sys.executable, "-m", *SUMMARY], capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InputError(" ".join(SUMMARY), said[-1] if said else "no output", "a summary of the workflow")
    jobs = read_summary(done.stdout.splitlines(), plan)
    for name, batch in plan.batches.items():
        for run in batch.runs:
            result, command = result_path(Path("results"), run.result), f"{plan.file(name)} {run.id}"
            job = Job("simulate", repeat_command(command), (plan.file(name),), (str(result),), str(result))
            jobs.append(job)
    return sorted(jobs, key=lambda job: job.outputs)


def read_summary(lines: Sequence[str], plan: Plan) -> list[Job]:
    """The jobs of a detailed summary, in which no simulation is left to do."""
    written: dict[tuple[str, str, str], list[str]] = {}
    table = dropwhile(lambda line: not line.startswith("output_file\t"), lines)
    for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
        _check(row)
        written.setdefault((row["rule"], row["input-file(s)"], row["shellcmd"]), []).append(
            row["output_file"]
        )
    return [
        Job(rule, command, _inputs(inputs, command, plan), tuple(sorted(outputs)), min(outputs))
        for (rule, inputs, command), outputs in written.items()
    ]


def _check(row: dict[str, str]) -> None:
    status = row["status"] if row["status"] != "ok" else row["plan"]
    if status == "set of input files changed":
        status = "no update"  # batches are inputs only until they are simulated
    if status == "no update" and row["shellcmd"] == "-":
        status = "no record of the command that made it"
    if status != "no update":
        raise InputError(row["output_file"], status, "a file that is up to date: run make reproduce")


def _inputs(declared: str, command: str, plan: Plan) -> tuple[str, ...]:
    """The inputs of a job: those declared, without markers of batches, and what it reads besides."""
    files = {name for name in declared.split(",") if name and not name.endswith(".done")}
    named = re.search(r"/experiments/([\w-]+)\.json", command)
    folder = Path(plan.work_folder)
    if named:
        files.add(str(folder / f"experiments/{named[1]}.json"))
    if " collect " in command and named:
        experiment = plan.experiments[named[1]]
        results = {experiment.result(point) for point in experiment.points}
        files.update(str(result_path(Path("results"), result)) for result in results)
    if re.search(r"steps (conclude|report) ", command):
        files.update(str(folder / f"experiments/{name}.json") for name in plan.experiments)
    if " conclude " in command:
        files.add(str(folder / "nominal.json"))
    return tuple(sorted(files))
