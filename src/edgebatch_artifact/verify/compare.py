"""Whether a file is the one that is made again: byte for byte, or as far as another platform allows."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path

import numpy as np
from matplotlib.image import imread
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
TINY = 1e-9
"""What may be left of a difference that should be 0."""

BLUR_PX, REACH_PX = 2.0, 6
"""Width of the blur, and how far a colour may have moved: half a millimetre in print.

Letters of another width move legends and axes by a few pixels.
"""
MOST_SEEN = 0.3
"""Largest difference of a colour, from 0 to 1, that passes for the same picture.

Measured on the figures of the paper: other hinting of text and edges that are not smoothed leave 0.2 at most;
a point or line moved by a twentieth of the data's range leaves 0.39 at least, unless others hide it. It is
the largest and not the mean, in which a single point would be lost.
"""
TOLERANCE = (
    "where bytes differ, numbers may by one in the last digit that is shown, and pictures "
    f"by {REACH_PX} pixels in place and {MOST_SEEN} in colour"
)


def agree(found: Path, again: Path) -> bool:
    """Whether two files of one kind, made on different platforms, show the same.

    Texts may differ by rounding, PNG by what cannot be seen. A PDF cannot be looked at here: it is
    drawn with its PNG from one figure, which stands for both.
    """
    if found.suffix == ".png":
        return look_alike(found.read_bytes(), again.read_bytes())
    if found.suffix == ".pdf":
        return True
    return same_but_for_rounding(_text(found), _text(again))


def same_but_for_rounding(found: str, expected: str) -> bool:
    """Whether two texts differ at most by one in the last digit of a number; whole numbers may not."""
    ours, theirs = NUMBER.split(found), NUMBER.split(expected)
    # every second part is a number
    return ours[::2] == theirs[::2] and all(map(_close, ours[1::2], theirs[1::2]))


def _close(found: str, expected: str) -> bool:
    if found == expected:
        return True
    ours, theirs = Decimal(found), Decimal(expected)
    last = min(int(ours.as_tuple().exponent), int(theirs.as_tuple().exponent))
    whole = last >= 0 and "e" not in found + expected
    unit = Decimal(0) if whole else Decimal(1).scaleb(last)
    return abs(ours - theirs) <= max(unit, Decimal(TINY))


def look_alike(found: bytes, expected: bytes) -> bool:
    """Whether nobody would see a difference of two PNG; a damaged one looks like nothing."""
    try:
        ours, theirs = (imread(io.BytesIO(png)) for png in (found, expected))
    except (OSError, SyntaxError, ValueError):  # what a damaged file raises
        return False
    return ours.shape == theirs.shape and seen_difference(ours, theirs) <= MOST_SEEN


def seen_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest distance of a colour of one picture from those near its place in the other."""
    ours, theirs = (gaussian_filter(picture, (BLUR_PX, BLUR_PX, 0)) for picture in (found, expected))
    return max(_beyond(ours, theirs), _beyond(theirs, ours))


def _beyond(picture: np.ndarray, other: np.ndarray) -> float:
    """How far colours of `picture` lie outside of what `other` has within reach of their place."""
    reach = (2 * REACH_PX + 1, 2 * REACH_PX + 1, 1)
    above, below = picture - maximum_filter(other, reach), minimum_filter(other, reach) - picture
    return float(max(above.max(), below.max()))


def how_they_differ(found: Path, again: Path) -> str:
    """What stands in the first file and what is expected there, in words."""
    if found.suffix in (".png", ".pdf"):
        return "found a picture with other bytes, expected the one that its CSV gives"
    lines = zip_longest(_text(found).splitlines(), _text(again).splitlines(), fillvalue="")
    for number, (ours, theirs) in enumerate(lines, 1):
        if ours != theirs:
            pairs = enumerate(zip_longest(ours, theirs))
            at = next(place for place, (our, their) in pairs if our != their)
            return f"line {number}: found {_around(ours, at)}, expected {_around(theirs, at)}"
    return "found other white space or line ends, expected the same bytes"


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def _around(line: str, at: int) -> str:
    """The part of a line that shows what stands at a place."""
    begin, end = max(0, at - 20), at + 30
    return repr(("..." if begin else "") + line[begin:end] + ("..." if len(line) > end else ""))
