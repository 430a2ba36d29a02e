"""A batch of settings simulated in one process.

To import numpy and numba and to load compiled code takes as long as many a setting; a batch does it once.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError, one_line
from edgebatch.setting import read_setting
from edgebatch_artifact.runs.replicates import simulate_setting
from edgebatch_artifact.runs.result_file import is_stored, result_path, store_result
from edgebatch_artifact.settings.experiments.experiment import Experiment
from edgebatch_artifact.storage.files import NoRoom, is_full, no_room


def simulate_batch(
    experiment: Experiment, ids: Sequence[str], results: Path, file: Path, log: Callable[[str], object]
) -> bool:
    """Simulate the settings `ids` of an experiment that have no result; whether all results are stored.

    A setting that fails leaves the others be. `log` gets a line of JSON for each setting; `file` is the
    experiment's, for the command that repeats a setting alone.
    """
    points = {point.id: point for point in experiment.points}
    done = True
    for id_ in ids:
        if id_ not in points:
            raise InputError("ID", repr(id_), f"a setting of {experiment.name}", "command line")
        name = experiment.result(points[id_])
        if not is_stored(results, name):
            done &= _simulate(experiment.settings[id_], name, results, f"{file} {id_}", log)
    return done


def _simulate(
    content: Mapping[str, Any], name: str, results: Path, words: str, log: Callable[[str], object]
) -> bool:
    """Store the result of a setting, and log what it took; report a failure to people."""
    begin = time.process_time()
    path = result_path(results, name)
    if path.exists():
        _report(f"{path}: not as it was stored; simulating it again")
    try:
        replicates, seconds = simulate_setting(read_setting(content, words))
        store_result(results, name, dict(content), replicates)
    except NoRoom:
        raise  # nor is there any for the other settings
    except Exception as error:  # whatever a scheduler may raise
        if isinstance(error, OSError) and is_full(error):
            raise no_room(path) from None  # compiled code is stored as well
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        _report(f"{name}: {kind}{error}; to repeat it: {repeat_command(words)}")
        log(json.dumps({"run": name, "failed": f"{kind}{error}", "traceback": traceback.format_exc()}))
        return False
    seconds["process"] = time.process_time() - begin
    log(json.dumps({"run": name, **seconds}))
    return True


def repeat_command(words: str) -> str:
    """The command line that simulates one setting alone; `words` are its file and its id."""
    return f"python -m edgebatch_artifact.steps simulate {words}"


def progress(experiments: Mapping[str, Experiment], results: Path) -> str:
    """How many of all settings are done."""
    names = {entry.result(point) for entry in experiments.values() for point in entry.points}
    done = sum(result_path(results, name).exists() for name in names)
    return f"{done} of all {len(names)} settings done"


def _report(text: str) -> None:
    print(f"artifact: {one_line(text)}", file=sys.stderr, flush=True)
