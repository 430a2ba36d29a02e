"""What the paper says, as tests on results: conf/claims.yaml, decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from edgebatch.errors import InputError, one_of
from edgebatch.schema import Checked, choice, describe, read, real
from edgebatch_artifact.analysis.samples import axes_of, settings_of
from edgebatch_artifact.analysis.statistics import Estimate, estimate, proportion
from edgebatch_artifact.runs.simulate import METRICS
from edgebatch_artifact.storage.yaml_file import read_yaml

HOLDS, IN_PART, FAILS = "holds", "holds in part", "does not hold"


class Part(Checked):
    """One comparison of a scheduler with others, on one column of the results."""

    says: str
    test: str
    column: str
    of: str
    over: tuple[str, ...]
    at_least: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_comparison(self)


class Claim(Checked):
    """A claim, where it is tested, and what of it is known.

    Attributes
    ----------
    where
        Values of swept keys to which the comparisons are restricted.
    """

    id: str
    says: str
    test: str
    certainty: str = choice("seed", "known", "recalled", "chosen")
    experiments: tuple[str, ...]
    column: str = ""
    of: str = ""
    over: tuple[str, ...] = ()
    at_least: float | None = None
    where: dict[str, Any] | None = None
    parts: tuple[Part, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.experiments:
            raise InputError("experiments", "an empty list", "the experiments that test the claim")
        if self.test != "survives":
            _check_comparison(self)
        elif not self.parts:
            raise InputError("parts", "nothing", "the comparisons that are to survive")
        elif self.at_least is None:
            raise InputError("at_least", "nothing", "the share of draws in which each part holds")


def _check_comparison(claim: Part | Claim) -> None:
    """Refuse a comparison of nothing, by no test, on no column, or with a bound that is missing."""
    tests = list(CASES) if isinstance(claim, Part) else [*CASES, "somewhere", "survives"]
    if claim.test not in tests:
        raise InputError("test", repr(claim.test), one_of(claim.test, tests))
    if not (claim.column and claim.of and claim.over):
        raise InputError("", "no comparison", "column, of and over: what is compared")
    if claim.column not in METRICS:
        raise InputError("column", repr(claim.column), one_of(claim.column, METRICS))
    if claim.test == "saves" and claim.at_least is None:
        raise InputError("at_least", "nothing", "the share that is saved at least")


class Claims(Checked):
    """conf/claims.yaml."""

    confidence: float = real(above=0, at_most=0.9999)
    claims: tuple[Claim, ...]


@dataclass(frozen=True)
class Case:
    """One comparison at one setting: whether it went as claimed, and the figure that decided it."""

    setting: dict[str, Any]
    against: str
    holds: bool
    measured: Estimate


@dataclass(frozen=True)
class Decision:
    """A claim decided.

    Attributes
    ----------
    expected, measured
        What the test asks for, and what was found, in words with intervals.
    exceptions
        Settings at which it did not go as claimed (for C6: did), in words.
    """

    claim: Claim
    expected: str
    measured: str
    verdict: str
    exceptions: tuple[str, ...]


def read_claims(conf: Path) -> Claims:
    """Read conf/claims.yaml.

    Raises
    ------
    InputError
        For a key, a test or a value that does not exist.
    """
    where = "conf/claims.yaml"
    try:
        found = read(Claims, read_yaml(conf / "claims.yaml", where))
    except InputError as error:
        raise error.at(where) from None
    _check_names(conf, found, where)
    return found


def _check_names(conf: Path, found: Claims, where: str) -> None:
    """Refuse claims of one id, and schedulers without a file."""
    known = [path.stem for path in (conf / "scheduler").glob("*.yaml")]
    ids = [claim.id for claim in found.claims]
    for index, claim in enumerate(found.claims):
        at = f"claims[{index}]"
        if claim.id in ids[:index]:
            raise InputError(f"{at}.id", repr(claim.id), "an id that no other claim has", where)
        parts = {at: claim} if not claim.parts else {f"{at}.parts[{i}]": p for i, p in enumerate(claim.parts)}
        for place, part in parts.items():
            named = {"of": part.of} | {f"over[{i}]": name for i, name in enumerate(part.over)}
            for key, name in named.items():
                if name not in known:
                    raise InputError(f"{place}.{key}", repr(name), one_of(name, known), where)


def surpasses(ours: np.ndarray, theirs: np.ndarray, confidence: float, _: float) -> tuple[bool, Estimate]:
    """Whether the paired difference is above 0 with confidence; it is the measure."""
    difference = estimate(ours - theirs, confidence)
    return difference.low > 0, difference


def equals(ours: np.ndarray, theirs: np.ndarray, confidence: float, _: float) -> tuple[bool, Estimate]:
    """Whether both are equal for every seed; the difference is the measure."""
    return bool(np.array_equal(ours, theirs)), estimate(ours - theirs, confidence)


def saves(ours: np.ndarray, theirs: np.ndarray, confidence: float, at_least: float) -> tuple[bool, Estimate]:
    """Whether the share saved, over all seeds, exceeds `at_least` with confidence.

    The interval is that of the ratio of the two sums, by linearisation.
    """
    if theirs.sum() == 0:
        return True, Estimate(0.0, 0.0)
    ratio = ours.sum() / theirs.sum()
    spread = estimate((ours - ratio * theirs) / theirs.mean(), confidence).half_width
    saved = Estimate(1 - ratio, spread)
    return saved.low > at_least, saved


CASES: dict[str, Callable[[np.ndarray, np.ndarray, float, float], tuple[bool, Estimate]]] = {
    "surpasses": surpasses,
    "equals": equals,
    "saves": saves,
}


def cases(part: Part | Claim, samples: pd.DataFrame, confidence: float, test: str) -> list[Case]:
    """Every comparison of a claim in one experiment: one for each setting and other scheduler."""
    result = []
    for setting, rows in settings_of(samples, but=["scheduler"]):
        values = rows.pivot(index="seed", columns="scheduler", values=part.column)
        for scheduler in (part.of, *part.over):
            if scheduler not in values:
                raise InputError("claims.over", scheduler, one_of(scheduler, values), "conf/claims.yaml")
        for other in part.over:
            ours, theirs = (values[name].to_numpy(dtype=float) for name in (part.of, other))
            holds, measured = CASES[test](ours, theirs, confidence, part.at_least or 0.0)
            result.append(Case(setting, other, holds, measured))
    return result


def shares(claim: Claim, samples: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """For each part of a claim the share of draws in which it holds, with its interval."""
    rows = []
    for part in claim.parts or ():
        found = cases(part, samples, confidence, part.test)
        held = sum(case.holds for case in found)
        low, high = proportion(held, len(found), confidence)
        share = held / len(found)
        rows.append({"claim": part.says, "share": share, "low": low, "high": high, "draws": len(found)})
    return pd.DataFrame(rows)


def decide(
    claim: Claim,
    samples: Mapping[str, pd.DataFrame],
    confidence: float,
    name: Callable[[str, str, Any], str],
) -> Decision:
    """Decide one claim.

    Parameters
    ----------
    samples
        Results of each experiment.
    name
        How to name the value of an axis of an experiment: ``name(experiment, axis, value)``.
    """
    if claim.test == "survives":
        return _survives(claim, samples[claim.experiments[0]], confidence)
    test = "surpasses" if claim.test == "somewhere" else claim.test
    found = [
        (experiment, case)
        for experiment in claim.experiments
        for case in cases(claim, _restricted(claim, samples[experiment]), confidence, test)
    ]
    held = [pair for pair in found if pair[1].holds]
    told = held if claim.test == "somewhere" else [pair for pair in found if not pair[1].holds]
    verdict = HOLDS if len(held) == len(found) else IN_PART if held else FAILS
    if claim.test == "somewhere":
        verdict = HOLDS if held else FAILS
    least = min((case.measured for _, case in found), key=lambda measured: measured.mean)
    most = max((case.measured for _, case in found), key=lambda measured: measured.mean)
    counted = f"{len(held)} of {len(found)} comparisons"
    return Decision(
        claim,
        EXPECTED[claim.test].format(at_least=f"{100 * (claim.at_least or 0):g} %"),
        f"{counted}; {MEASURED[claim.test]} from {_shown(claim.test, least)} to {_shown(claim.test, most)}",
        verdict,
        tuple(_where(experiment, case, name, claim.test) for experiment, case in told),
    )


def _restricted(claim: Claim, samples: pd.DataFrame) -> pd.DataFrame:
    """The rows that the claim is about."""
    for key, value in (claim.where or {}).items():
        at, where = f"{claim.id}.where.{key}", "conf/claims.yaml"
        if key not in samples:
            raise InputError(at, "an unknown key", one_of(key, axes_of(samples)), where)
        if isinstance(value, (dict, list)):
            raise InputError(at, describe(value), "one swept value", where)
        if value not in set(samples[key]):
            raise InputError(at, describe(value), one_of(value, map(str, set(samples[key]))), where)
        samples = samples[samples[key] == value]
    return samples


EXPECTED = {
    "surpasses": "paired difference above 0 in every comparison",
    "equals": "equal in every epoch",
    "saves": "more than {at_least} of the nodes saved in every row",
    "somewhere": "paired difference above 0 in some comparison",
    "survives": "each part holds in at least {at_least} of the draws",
}
MEASURED = {
    "surpasses": "difference (requests/s)",
    "equals": "difference (requests)",
    "saves": "nodes saved",
    "somewhere": "difference (requests/s)",
}


def _survives(claim: Claim, samples: pd.DataFrame, confidence: float) -> Decision:
    table = shares(claim, samples, confidence)
    needed = claim.at_least or 0.0
    held = [row.share >= needed for row in table.itertuples()]
    told = tuple(
        f"{row.claim}: {_percent(row.share)} [{_percent(row.low)}, {_percent(row.high)}]"
        for row in table.itertuples()
    )
    return Decision(
        claim,
        EXPECTED["survives"].format(at_least=_percent(needed)),
        f"{sum(held)} of {len(held)} parts, in {int(table.draws.iloc[0])} draws",
        HOLDS if all(held) else IN_PART if any(held) else FAILS,
        told,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _shown(test: str, measured: Estimate) -> str:
    if test == "saves":
        # a saving next to 100 % is told by what is left
        left = 100 * (1 - measured.mean)
        return f"{100 * measured.mean:.3g} %" if left >= 0.05 else f"all but {left:.1e} %"
    return f"{measured.mean:.3g} ± {measured.half_width:.2g}"


def _where(experiment: str, case: Case, name: Callable[[str, str, Any], str], test: str) -> str:
    setting = ", ".join(name(experiment, axis, value) for axis, value in case.setting.items())
    against = name(experiment, "scheduler", case.against)
    return f"{experiment}: {setting or 'nominal'}; against {against}: {_shown(test, case.measured)}"
