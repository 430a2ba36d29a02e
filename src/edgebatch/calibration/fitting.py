"""The efficiencies of a roofline that come nearest to measured times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from edgebatch.calibration.measurement import Measurement, predict
from edgebatch.errors import InputError, one_of

SHARE, CONSTANT = (0.01, 1.0), (1e-9, 1.0)
BOUNDS = {
    "prefill_flops_share": SHARE,
    "decode_flops_share": SHARE,
    "attention_share": SHARE,
    "bandwidth_share": SHARE,
    "pooled_share": SHARE,
    "step_s": CONSTANT,
    "layer_s": CONSTANT,
}
"""Fields of `Roofline` that can be fitted: no share beyond the peak, and constants in seconds."""

STARTS = {SHARE: (0.5, 0.9), CONSTANT: (1e-3, 1e-5)}
"""Where the search begins: with slow devices and long constants, and the other way round."""

ROBUST_FROM = 0.1
"""Logarithm of an error from which on it counts less than its square. Libraries change kernels at some sizes,
and rows beyond such a size are off by tens of per cent; they are not to move all others."""


def fit(
    measurements: Sequence[Measurement], free: Sequence[str], given: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Fit efficiencies to measurements, by least squares on the logarithms of predicted over measured.

    Parameters
    ----------
    free
        Which fields of `Roofline` are fitted.
    given
        Values of others; the rest stay as each measurement's system has them.

    Returns
    -------
    dict
        Value of each field in `given` and `free`.

    Raises
    ------
    InputError
        For a field that cannot be fitted, and for fewer measurements than free fields.
    """
    for place, name in enumerate(free):
        if name not in BOUNDS:
            raise InputError(f"free[{place}]", repr(name), one_of(name, BOUNDS))
    if not free:
        raise InputError("free", "an empty list", one_of(None, BOUNDS))
    if len(measurements) < len(free):
        raise InputError("free", f"{len(free)} of them", f"at most {len(measurements)}, one a measurement")
    measured = np.log([measurement.value for measurement in measurements])

    def efficiencies(logarithms: NDArray[np.float64]) -> dict[str, float]:
        found = zip(free, (float(value) for value in np.exp(logarithms)), strict=True)
        return {**(given or {}), **dict(found)}

    def residuals(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.log(predict(measurements, efficiencies(logarithms))) - measured

    bounds = tuple(zip(*(map(math.log, BOUNDS[name]) for name in free), strict=True))
    searches = [
        least_squares(
            residuals,
            [math.log(STARTS[BOUNDS[name]][start]) for name in free],
            bounds=bounds,
            loss="soft_l1",
            f_scale=ROBUST_FROM,
        )
        for start in range(2)
    ]
    return efficiencies(min(searches, key=lambda search: search.cost).x)
