"""Whether the stored results are those of conf/ and the code, and come out again."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError, one_line
from edgebatch.setting import identity, read_setting
from edgebatch_artifact.runs.plan import Run
from edgebatch_artifact.runs.replicates import simulate_setting
from edgebatch_artifact.runs.result_file import read_result, result_path
from edgebatch_artifact.verify.compare import same_but_for_rounding
from edgebatch_artifact.verify.outcome import Check, Outcome, without_file

RESULTS, AGAIN = "results", "settings simulated again"


@dataclass(frozen=True)
class Resimulation:
    """How many settings are simulated again, and the seed that chooses them."""

    settings: int
    seed: int

    def of(self, runs: list[Run]) -> list[Run]:
        """The runs that are chosen; all of them, if they are no more."""
        known = sorted(runs, key=lambda run: run.result)
        return random.Random(self.seed).sample(known, min(self.settings, len(known)))


def check_results(runs: list[Run], results: Path) -> Generator[Check, None, list[Run]]:
    """Check that every result is there and is what its name says; returns the runs that are."""
    if not any(result_path(results, run.result).exists() for run in runs):
        words = f"found no result, expected {len(runs)}"
        yield Check(RESULTS, str(results / "runs"), Outcome.UNKNOWN, words)
        return []
    intact = []
    for run in runs:
        check = _check(run, results)
        yield check
        if check.passed:
            intact.append(run)
    return intact


def _check(run: Run, results: Path) -> Check:
    path = result_path(results, run.result)
    if not path.exists():
        return Check(RESULTS, str(path), Outcome.UNKNOWN, _what_is_missing(run, path.parent))
    try:
        stored = read_result(results, run.result)
    except InputError as error:
        return Check(RESULTS, str(path), Outcome.DIFFERS, without_file(error))
    of = f"{identity(stored['setting'])}-{stored['code']}"
    if of != run.result:
        words = f"found a result of {of} (setting and code), expected one of {run.result}"
        return Check(RESULTS, str(path), Outcome.DIFFERS, words)
    return Check(RESULTS, str(path), Outcome.SAME)


def _what_is_missing(run: Run, folder: Path) -> str:
    others = sorted(other.stem for other in folder.glob(f"{run.id}-*.json"))
    instead = f"the result of other code ({', '.join(others)})" if others else "no result"
    return f"found {instead}, expected that of {run.words}"


def simulate_again(
    runs: list[Run],
    results: Path,
    settings: Mapping[str, Any],
    elsewhere: bool,
    again: Resimulation,
    tell: Callable[[str], None],
) -> Iterator[Check]:
    """Simulate some of `runs` again, and compare with what is stored.

    Parameters
    ----------
    settings
        What conf/ gives, by id.
    elsewhere
        Whether the results may come from another platform, whose floats may differ in the last digits.
    """
    chosen = again.of(runs)
    for number, run in enumerate(chosen, 1):
        tell(f"simulating setting {number} of {len(chosen)} again: {run.words}")
        path = result_path(results, run.result)
        stored = json.dumps(read_result(results, run.result)["replicates"])
        yield Check(AGAIN, str(path), *_simulated(run, stored, settings[run.id], elsewhere))


def _simulated(run: Run, stored: str, content: object, elsewhere: bool) -> tuple[Outcome, str]:
    try:
        replicates, _ = simulate_setting(read_setting(content, "conf"))
    except Exception as error:  # whatever a scheduler may raise
        reason = one_line(f"{type(error).__name__}: {error}")
        return Outcome.DIFFERS, f"found a result, but to simulate {run.words} again ends in {reason}"
    now = json.dumps(replicates)
    if now == stored:
        return Outcome.SAME, ""
    if elsewhere and same_but_for_rounding(_rounded(stored), _rounded(now)):
        return Outcome.CLOSE, ""
    return Outcome.DIFFERS, f"found other numbers than {run.words} has when it is simulated again"


def _rounded(replicates: str) -> str:
    """Results with as many digits as CSV files have."""
    return json.dumps(json.loads(replicates, parse_float=lambda number: float(f"{float(number):.6g}")))
