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
from edgebatch_artifact.runs.batch_data import Run
from edgebatch_artifact.runs.result_file import read_run
from edgebatch_artifact.runs.simulate import run as simulate
from edgebatch_artifact.verify.compare import same_but_for_rounding
from edgebatch_artifact.verify.outcome import Check, Outcome, without_file

RESULTS, AGAIN = "results", "settings simulated again"


@dataclass(frozen=True)
class Sample:
    """How many settings are simulated again, and the seed that chooses them."""

    settings: int
    seed: int

    def of(self, runs: list[Run]) -> list[Run]:
        """The runs that are chosen; all of them, if they are no more."""
        known = sorted(runs, key=lambda run: run.result)
        return random.Random(self.seed).sample(known, min(self.settings, len(known)))


def check_results(runs: list[Run]) -> Generator[Check, None, list[Run]]:
    """Check that every result is there and is what its name says; returns the runs that are."""
    if not any(Path(run.result).exists() for run in runs):
        words = f"found no result, expected {len(runs)}"
        yield Check(RESULTS, "results/runs", Outcome.UNKNOWN, words)
        return []
    intact = []
    for run in runs:
        check = _check(run)
        yield check
        if check.passed:
            intact.append(run)
    return intact


def _check(run: Run) -> Check:
    path = Path(run.result)
    if not path.exists():
        return Check(RESULTS, run.result, Outcome.UNKNOWN, _what_is_missing(run))
    try:
        stored = read_run(path)
    except InputError as error:
        return Check(RESULTS, run.result, Outcome.DIFFERS, without_file(error))
    of, expected = f"{identity(stored['setting'])}-{stored['code']}", f"{_id(run)}-{run.code}"
    if of != expected:
        words = f"found a result of {of} (setting and code), expected one of {expected}"
        return Check(RESULTS, run.result, Outcome.DIFFERS, words)
    return Check(RESULTS, run.result, Outcome.SAME)


def _what_is_missing(run: Run) -> str:
    path = Path(run.result)
    others = sorted(other.stem for other in path.parent.glob(f"{_id(run)}-*.json"))
    found = f"the result of other code ({', '.join(others)})" if others else "no result"
    return f"found {found}, expected that of {run.words}"


def _id(run: Run) -> str:
    return Path(run.result).stem.partition("-")[0]


def simulate_again(
    runs: list[Run],
    settings: Mapping[str, Any],
    elsewhere: bool,
    sample: Sample,
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
    chosen = sample.of(runs)
    for number, run in enumerate(chosen, 1):
        tell(f"simulating setting {number} of {len(chosen)} again: {run.words}")
        outcome, words = _simulated(run, settings[_id(run)], elsewhere)
        yield Check(AGAIN, run.result, outcome, words)


def _simulated(run: Run, content: object, elsewhere: bool) -> tuple[Outcome, str]:
    stored = json.dumps(read_run(Path(run.result))["replicates"])
    try:
        result, _ = simulate(read_setting(content, "conf"), run.code)
    except Exception as error:  # whatever a scheduler may raise
        told = one_line(f"{type(error).__name__}: {error}")
        return Outcome.DIFFERS, f"found a result, but to simulate {run.words} again ends in {told}"
    now = json.dumps(result["replicates"])
    if now == stored:
        return Outcome.SAME, ""
    if elsewhere and same_but_for_rounding(_rounded(stored), _rounded(now)):
        return Outcome.CLOSE, ""
    return Outcome.DIFFERS, f"found other numbers than {run.words} has when it is simulated again"


def _rounded(replicates: str) -> str:
    """Results with as many digits as CSV files have."""
    return json.dumps(json.loads(replicates, parse_float=lambda number: float(f"{float(number):.6g}")))
