"""A batch of settings simulated in one process: ``python -m edgebatch_artifact.runs.batch BATCH DONE`` is what a job runs.

To import numpy and numba and to load compiled code takes as long as many a setting; a batch does it once.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError, one_line
from edgebatch.io.command_line import Parser
from edgebatch_artifact.runs.batch_data import Run, read_batch
from edgebatch_artifact.runs.simulate import simulate_file
from edgebatch_artifact.settings.experiment import read_experiment_data
from edgebatch_artifact.storage.files import NoRoom, is_full, no_room, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate the settings of a batch that have no result yet; one that fails leaves the others be."""
    parser = Parser(prog="python -m edgebatch_artifact.runs.batch", description=__doc__)
    parser.add_argument("batch", type=Path, help="file of results/batches/")
    parser.add_argument("done", type=Path, help="file to write once every result is stored")
    parser.add_argument(
        "--experiments", type=Path, required=True, help="folder of all experiments, to tell how much is done"
    )
    chosen = parser.parse_args(arguments)
    try:
        runs = read_batch(chosen.batch).runs
        known = _results(chosen.experiments)
        failed = [run for run in runs if not (run.is_stored() or _simulate(run))]
        print(progress(known), file=sys.stderr)
        if not failed:
            write(chosen.done, "")
    except InputError as error:
        _tell(str(error))
        return 2
    return 1 if failed else 0


def _simulate(run: Run) -> bool:
    """Store the result of a run, and log what it took; tell people if that fails."""
    begin = time.process_time()
    result = Path(run.result)
    if result.exists():
        _tell(f"{result}: not as it was stored; simulating it again")
    try:
        seconds = simulate_file(Path(run.setting), result, run.code)
        if not run.is_stored():
            raise InputError("", "another setting", f"that of {result.stem}", run.setting)
    except NoRoom:
        raise  # nor is there any for the other settings
    except Exception as error:  # whatever a scheduler may raise
        if isinstance(error, OSError) and is_full(error):
            raise no_room(result) from None  # compiled code is stored as well
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        _tell(f"{run.words}: {kind}{error}; to repeat it: {run.command()}")
        _log({"run": result.stem, "failed": f"{kind}{error}", "traceback": traceback.format_exc()})
        return False
    seconds["process"] = time.process_time() - begin
    _log({"run": result.stem, **seconds})
    return True


def _tell(text: str) -> None:
    print(f"artifact: {one_line(text)}", file=sys.stderr, flush=True)


def _log(entry: dict[str, Any]) -> None:
    """Print a line of the log, into which standard output goes."""
    try:
        print(json.dumps(entry), flush=True)
    except OSError as error:
        raise (no_room(Path("the log of this job")) if is_full(error) else error) from None


def _results(experiments: Path) -> set[str]:
    """The results of all expanded experiments in a folder."""
    data = [read_experiment_data(path) for path in experiments.glob("*.json")]
    if not data:
        raise InputError("--experiments", f"no experiment in {experiments}", "the folder of all experiments")
    return {point["run"] for experiment in data for point in experiment.points}


def progress(results: set[str]) -> str:
    """How many of all settings are done."""
    return f"{sum(Path(result).exists() for result in results)} of all {len(results)} settings done"


if __name__ == "__main__":
    raise SystemExit(main())
