"""How far predictions are from measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Errors(NamedTuple):
    """Relative errors of some predictions.

    Attributes
    ----------
    rows
        How many predictions they are.
    median, p90
        Median and 90th percentile of the absolute errors.
    signed
        Median of the errors; below 0 where predictions are too small.
    """

    rows: int
    median: float
    p90: float
    signed: float


def errors_of(predicted: Sequence[float], measured: Sequence[float]) -> Errors:
    """Relative errors of predictions of the same shape as `measured`, which has at least one row."""
    errors = np.asarray(predicted) / np.asarray(measured) - 1
    absolute = np.abs(errors)
    return Errors(
        len(errors),
        float(np.median(absolute)),
        float(np.quantile(absolute, 0.9)),
        float(np.median(errors)),
    )
