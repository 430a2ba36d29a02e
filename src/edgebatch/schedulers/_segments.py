"""Compute time as convex pieces, for solvers of linear programs: the roofline of one padded prompt length.

Between two output lengths of the candidates, the number of live requests A does not change, and the time of
those steps is a convex function of A that is 0 without any. So it is the largest of some lines for A >= 1,
and a binary variable says whether there is a live request at all. `Segment` holds the lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.system import System

MOST_PARTS = 2.0**38
"""Lines need not tell times beyond this apart; it is more than any budget."""


class Segment(NamedTuple):
    """The steps between two output lengths.

    Attributes
    ----------
    live
        Which requests are live in these steps, shape (requests,).
    slope, intercept
        Lines below the time of A live requests, for A from 1, in whole parts, shape (lines,).
    """

    live: NDArray[np.bool_]
    slope: NDArray[np.int64]
    intercept: NDArray[np.int64]


def segments(
    system: System, padded: int, outputs: NDArray[np.int64], most: int, parts_per_s: float
) -> tuple[Segment, ...]:
    """The segments of batches of at most `most` requests, padded to `padded`.

    Parameters
    ----------
    outputs
        Output length that each request is billed, shape (requests,).
    parts_per_s
        Parts in a second; lines are rounded down to whole parts.

    Raises
    ------
    InputError
        For a model with experts, whose time is not convex in A.
    """
    if system.llm.experts > 1:
        raise InputError("llm.experts", system.llm.experts, "1: this solver needs a convex compute time")
    sizes = np.arange(1, max(2, most) + 1)
    lengths = np.unique(np.append(outputs, 1))
    flops = sizes[:, None] * system.work_flops(np.array(padded), lengths)
    # time of A requests that all have one length, shape (sizes, lengths)
    together_s = system.compute_time_s(
        flops,
        np.full(flops.shape, padded),
        np.broadcast_to(lengths, flops.shape)[..., None],
        sizes[:, None, None],
    )
    times = np.diff(together_s * parts_per_s, axis=1, prepend=0.0).T
    return tuple(
        Segment(outputs >= length, *_lines(sizes, time)) for length, time in zip(lengths, times, strict=True)
    )


def _lines(
    sizes: NDArray[np.int64], time: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lines through neighbouring points of a convex function, each slope once, rounded down."""
    slope = np.diff(time)
    # slopes that differ by rounding alone are one
    first = np.concatenate(([True], np.diff(slope) > 1e-12 * np.abs(time[1:-1])))
    intercept = time[:-1] - slope * sizes[:-1]
    # no batch takes so long: smaller numbers say the same and do not overflow
    slope, intercept = np.minimum(slope, MOST_PARTS), np.minimum(intercept, MOST_PARTS)
    first[1:] &= time[1:-1] <= MOST_PARTS
    # one part less, for the rounding of the differences
    return np.floor(slope[first]).astype(np.int64), np.floor(intercept[first]).astype(np.int64) - 1
