"""A batch of settings simulated in one process: ``python -m artifact.batch BATCH DONE`` is what a job runs.

To import numpy and numba and to load compiled code takes as long as many a setting; a batch does it once.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from artifact.batch_data import Run, read_batch
from artifact.experiment_data import read_experiment_data
from artifact.files import write
from artifact.run_file import read_run
from artifact.simulate import simulate_file
from edgebatch.command_line import Parser
from edgebatch.errors import InputError, one_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate the settings of a batch that have no result yet; one that fails leaves the others be."""
    parser = Parser(prog="python -m artifact.batch", description=__doc__)
    parser.add_argument("batch", type=Path, help="file of results/batches/")
    parser.add_argument("done", type=Path, help="file to write once every result is stored")
    parser.add_argument(
        "--experiments", type=Path, required=True, help="folder of all experiments, to tell how much is done"
    )
    chosen = parser.parse_args(arguments)
    try:
        runs = read_batch(chosen.batch).runs
        known = _results(chosen.experiments)
        failed = [run for run in runs if not (_is_stored(run) or _simulate(run))]
        print(progress(known), file=sys.stderr)
        if not failed:
            write(chosen.done, "")
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)
        return 2
    return 1 if failed else 0


def _is_stored(run: Run) -> bool:
    try:
        read_run(Path(run.result))
    except InputError:
        return False
    return True


def _simulate(run: Run) -> bool:
    """Store the result of a run, and log what it took; tell people if that fails."""
    begin = time.process_time()
    try:
        seconds = simulate_file(Path(run.setting), Path(run.result), run.code)
    except Exception as error:  # whatever a scheduler may raise
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        told = one_line(f"{run.words}: {kind}{error}; to repeat it: {run.command()}")
        print(f"artifact: {told}", file=sys.stderr, flush=True)
        return False
    seconds["process"] = time.process_time() - begin
    print(json.dumps({"run": Path(run.result).stem, **seconds}), flush=True)
    return True


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
