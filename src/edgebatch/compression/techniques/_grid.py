"""Uniform levels between a least and a largest weight, of a matrix, of its rows, or of groups in them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.stored.matrix import Grid
from edgebatch.errors import InputError

Weights = NDArray[np.float32]


def bounds(weights: Weights, group: int) -> tuple[Weights, Weights]:
    """Least and largest weight of each group of columns, 0 between them; a group of 0 is a whole row.

    Returns
    -------
    low, high
        Shape (rows, groups).
    """
    starts = np.arange(0, weights.shape[1], group or weights.shape[1])
    low = np.minimum(np.minimum.reduceat(weights, starts, axis=1), 0)
    return low, np.maximum(np.maximum.reduceat(weights, starts, axis=1), 0)


def grid(low: Weights, high: Weights, bits: int, group: int, columns: int) -> Grid:
    """The grid of 2**bits levels whose ends are `low` and `high`, shapes (rows or 1, groups).

    The level 0 is among them, so that what is pruned or zero stays so.
    """
    last = 2**bits - 1
    scales = ((high - low) / last).astype(np.float16)
    scales[scales == 0] = 1
    if not np.isfinite(scales).all():
        raise InputError("weights", f"{np.abs(high - low).max():g}", "a range that 16 bits can hold")
    zeros = np.clip(np.rint(-low / scales.astype(np.float32)), 0, last).astype(np.uint8)
    return Grid(scales, zeros, group or columns)


def nearest(levels: Grid, weights: Weights, bits: int) -> NDArray[np.uint8]:
    """Indices of the nearest levels, shape (rows, columns)."""
    columns = np.arange(weights.shape[1]) // levels.group
    steps = np.rint(weights / levels.scales[:, columns].astype(np.float32)) + levels.zeros[:, columns]
    return np.clip(steps, 0, 2**bits - 1).astype(np.uint8)


def grid_of(weights: Weights, bits: int, group: int) -> Grid:
    """The grid between the least and the largest weight of each group."""
    return grid(*bounds(weights, group), bits, group, weights.shape[1])
