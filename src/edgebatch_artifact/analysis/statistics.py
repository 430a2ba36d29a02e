"""Means, intervals and paired differences over seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds and the half width of its confidence interval."""

    mean: float
    half_width: float

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return self.mean - self.half_width

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return self.mean + self.half_width


def estimate(values: ArrayLike, confidence: float) -> Estimate:
    """Mean of independent values with Student's interval; half width 0 where they are all equal.

    Raises
    ------
    ValueError
        For fewer than two values, of which no interval follows.
    """
    found = np.asarray(values, dtype=float)
    if found.size < 2:
        raise ValueError(f"an interval needs two values or more, found {found.size}")
    if (found == found[0]).all():  # whose sum may be rounded
        return Estimate(float(found[0]), 0.0)
    quantile = float(stdtrit(found.size - 1, (1 + confidence) / 2))
    return Estimate(float(found.mean()), quantile * float(found.std(ddof=1)) / found.size**0.5)


def proportion(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """Clopper-Pearson interval of a share."""
    from scipy.stats import binomtest  # takes a second to load, and few need it

    interval = binomtest(successes, trials).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)
