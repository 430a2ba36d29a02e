"""Settings that a run could not simulate: each with its reason, its log, and the command that repeats it."""

from __future__ import annotations

import json
from pathlib import Path

from edgebatch_artifact.runs.plan import Plan
from edgebatch_artifact.runs.result_file import is_stored
from edgebatch_artifact.runs.simulate import repeat_command

KILLED = "its job ended before it was done, killed perhaps"


def failures(plan: Plan, results: Path, logs: Path) -> str:
    """What to print at the end of a run that failed; empty if no setting did.

    A setting has failed if its batch has a log and it has no result.
    """
    lines = []
    for name in plan.missing:
        log = logs / f"{name}.log"
        if log.exists():
            reasons = _reasons(log)
            lines += [
                f"{run.words}: {reasons.get(run.result, KILLED)}\n    log: {log}\n"
                f"    again: {repeat_command(f'{plan.file(name)} {run.id}')}\n"
                for run in plan.missing[name]
                if not is_stored(results, run.result)
            ]
    count = f"{len(lines)} setting{'s' * (len(lines) != 1)}"
    return f"{count} failed; the same command goes on from here.\n" + "".join(sorted(lines)) if lines else ""


def _reasons(log: Path) -> dict[str, str]:
    """Why settings failed, by result; a job that was killed may leave a line half-written."""
    reasons = {}
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "failed" in entry:
            reasons[entry["run"]] = entry["failed"]
    return reasons
