"""One comparison of two schedulers at one setting: whether it goes as a claim says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from edgebatch.errors import InputError, one_of
from edgebatch_artifact.analysis.claim_file import WHERE, Claim, Part
from edgebatch_artifact.analysis.samples import settings_of
from edgebatch_artifact.analysis.statistics import Estimate, estimate, proportion

Verdict = tuple[bool, Estimate]
"""Whether a comparison goes as claimed, and the figure that decides it."""


@dataclass(frozen=True)
class Comparison:
    """One comparison at one setting: whether it goes as claimed, and the figure that decides it."""

    setting: dict[str, Any]
    against: str
    holds: bool
    measured: Estimate


def surpasses(ours: np.ndarray, theirs: np.ndarray, confidence: float, _: float) -> Verdict:
    """Whether the paired difference is above 0 with confidence; it is the measure."""
    difference = estimate(ours - theirs, confidence)
    return difference.low > 0, difference


def equals(ours: np.ndarray, theirs: np.ndarray, confidence: float, _: float) -> Verdict:
    """Whether both are equal for every seed; the difference is the measure."""
    return bool(np.array_equal(ours, theirs)), estimate(ours - theirs, confidence)


def saves(ours: np.ndarray, theirs: np.ndarray, confidence: float, at_least: float) -> Verdict:
    """Whether the share saved, over all seeds, exceeds `at_least` with confidence.

    The interval is that of the ratio of the two sums, by linearisation.
    """
    if theirs.sum() == 0:
        return True, Estimate(0.0, 0.0)
    ratio = ours.sum() / theirs.sum()
    spread = estimate((ours - ratio * theirs) / theirs.mean(), confidence).half_width
    saved = Estimate(1 - ratio, spread)
    return saved.low > at_least, saved


def reaches(ours: np.ndarray, theirs: np.ndarray, confidence: float, at_least: float) -> Verdict:
    """Whether each seed has at least the share `at_least` of the other; the mean share is the measure."""
    share = np.divide(ours, theirs, out=np.ones(len(ours)), where=theirs > 0)
    return bool((share >= at_least * (1 - 1e-9)).all()), estimate(share, confidence)


TESTS: dict[str, Callable[[np.ndarray, np.ndarray, float, float], Verdict]] = {
    "surpasses": surpasses,
    "equals": equals,
    "saves": saves,
    "reaches": reaches,
}


def comparisons(part: Part | Claim, samples: pd.DataFrame, confidence: float, test: str) -> list[Comparison]:
    """Every comparison of a claim in one experiment: one for each setting and other scheduler."""
    made = []
    for setting, rows in settings_of(samples, but=["scheduler"]):
        values = rows.pivot(index="seed", columns="scheduler", values=part.column)
        for scheduler in (part.of, *part.over):
            if scheduler not in values:
                raise InputError("claims.over", scheduler, one_of(scheduler, values), WHERE)
        for other in part.over:
            ours, theirs = (values[name].to_numpy(dtype=float) for name in (part.of, other))
            holds, measured = TESTS[test](ours, theirs, confidence, part.at_least or 0.0)
            made.append(Comparison(setting, other, holds, measured))
    return made


def shares(claim: Claim, samples: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """For each part of a claim the share of draws in which it holds, with its interval."""
    rows = []
    for part in claim.parts or ():
        made = comparisons(part, samples, confidence, part.test)
        held = sum(comparison.holds for comparison in made)
        low, high = proportion(held, len(made), confidence)
        share = held / len(made)
        rows.append({"claim": part.says, "share": share, "low": low, "high": high, "draws": len(made)})
    return pd.DataFrame(rows)
