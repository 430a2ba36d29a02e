"""The simplex method of a matrix game, shared by the relaxations of both searches."""

from __future__ import annotations

import numpy as np

from edgebatch.search.jit import compiled


@compiled(error_model="numpy", inner=True)
def pivot(inverse, value, column):  # type: ignore[no-untyped-def]
    """Let `column` enter the basis: update its inverse and the values of its variables.

    Returns
    -------
    int
        Row of the variable that leaves by the ratio test, -1 if none can.
    """
    count = column.size
    entering = np.empty(count)
    leaving, least = -1, np.inf
    for r in range(count):
        entering[r] = 0.0
        for c in range(count):
            entering[r] += inverse[r, c] * column[c]
        if entering[r] > 1e-12 and value[r] < least * entering[r]:
            leaving, least = r, value[r] / entering[r]
    if leaving < 0:
        return leaving
    for c in range(count):
        inverse[leaving, c] /= entering[leaving]
    value[leaving] = least
    for r in range(count):
        if r != leaving:
            value[r] = max(0.0, value[r] - entering[r] * least)
            for c in range(count):
                inverse[r, c] -= entering[r] * inverse[leaving, c]
    return leaving


@compiled(error_model="numpy", inner=True)
def price(inverse, gain, prices, trial):  # type: ignore[no-untyped-def]
    """Fill `prices` with the dual prices of the basis, and `trial` with them as multipliers of sum 1."""
    count, total = prices.size, 0.0
    for c in range(count):
        prices[c] = 0.0
        for r in range(count):
            prices[c] += gain[r] * inverse[r, c]
        trial[c] = max(0.0, prices[c])
        total += trial[c]
    for c in range(count):
        trial[c] /= total
