"""What a run could not make, told at its end: each with its log and the command that repeats it alone."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch_artifact.runs.batch_data import Batch


@dataclass(frozen=True)
class Failure:
    """A setting without a result, or a job without its files.

    Attributes
    ----------
    what, why
        In words for people.
    command
        What repeats it alone.
    """

    what: str
    why: str
    log: str
    command: str


def of_batch(batch: Batch, log: Path) -> list[Failure]:
    """The settings of a batch that have no result, with what the job logged of each."""
    reasons = _reasons(log)
    ended = "its job ended before it was done, killed perhaps"
    return [
        Failure(run.words, reasons.get(Path(run.result).stem, ended), str(log), run.command())
        for run in batch.missing()
    ]


def _reasons(log: Path) -> dict[str, str]:
    """Why settings failed, as a batch logs it; a job that was killed may leave a line half-written."""
    found = {}
    for line in log.read_text(errors="replace").splitlines() if log.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "failed" in entry:
            found[entry["run"]] = entry["failed"]
    return found


def of_jobs(jobs: Iterable[Any], batches: Mapping[str, Batch]) -> list[Failure]:
    """The failures of Snakemake's jobs: of a batch each setting, of any other rule the job."""
    found = []
    # a group is jobs that a cluster runs in one go
    for job in itertools.chain(*(getattr(job, "jobs", [job]) for job in jobs)):
        log = str(next(iter(job.log), ""))
        if job.rule.name == "simulate":
            found += of_batch(batches[job.wildcards.batch], Path(log))
        else:
            what, target = " ".join([job.rule.name, *job.wildcards]), str(job.output[0])
            found.append(Failure(what, "its job failed", log, f"snakemake --cores 1 {target}"))
    return sorted(found, key=lambda failure: failure.what)


def summary(failures: Iterable[Failure]) -> str:
    """What to print at the end of a run."""
    told = [
        f"{failure.what}: {failure.why}\n    log: {failure.log}\n    again: {failure.command}\n"
        for failure in failures
    ]
    return f"{len(told)} failed; the same command goes on from here.\n" + "".join(told)
