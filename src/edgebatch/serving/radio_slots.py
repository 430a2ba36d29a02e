"""Slots of a band, one after the other: who gets a share of which."""

from __future__ import annotations

import heapq
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import fits


class Passage(NamedTuple):
    """How requests get through a band.

    Attributes
    ----------
    end_s
        End of the slot in which each request gets its share, shape (requests,); inf if its last channel that
        was drawn needs more than the band.
    load
        Mean share of the slots that carry somebody; 0 if none does.
    """

    end_s: NDArray[np.float64]
    load: float


def through_slots(
    ready_s: NDArray[np.float64],
    arrival_s: NDArray[np.float64],
    share: NDArray[np.float64],
    priority: NDArray[np.float64],
    slot_s: float,
    epoch_s: float,
) -> Passage:
    """Send requests through the slots of a band.

    Slots follow each other without a gap. At the start of each, requests that are ready get their shares in
    order of priority, as far as the band lasts; who does not fit waits for a later slot.

    Parameters
    ----------
    ready_s
        When each request is ready to be sent; NaN if it never is, shape (requests,).
    arrival_s
        When each arrived at first: its channel changes with the epochs since, shape (requests,).
    share
        Least share of a slot in each epoch after the arrival, shape (requests, epochs).
    priority
        The least comes first, shape (requests,).
    """
    through_s = np.full(ready_s.size, math.inf)
    coming = [int(i) for i in np.argsort(ready_s, kind="stable") if math.isfinite(ready_s[i])]
    coming.reverse()
    waiting: list[tuple[float, int]] = []
    slot, used, carried = 0, 0, 0.0
    while coming or waiting:
        if not waiting:
            slot = max(slot, math.ceil(ready_s[coming[-1]] / slot_s))
        begin_s = slot * slot_s
        while coming and ready_s[coming[-1]] <= begin_s:
            index = coming.pop()
            heapq.heappush(waiting, (float(priority[index]), index))
        left, later = 1.0, []
        while waiting:
            entry = heapq.heappop(waiting)
            index = entry[1]
            since = int(begin_s // epoch_s - arrival_s[index] // epoch_s)
            needed = float(share[index, min(since, share.shape[1] - 1)])
            if fits(needed, left):
                left -= needed
                through_s[index] = begin_s + slot_s
            elif since < share.shape[1] - 1 or fits(needed, 1.0):
                later.append(entry)
        waiting = later
        slot += 1
        used, carried = used + (left < 1), carried + 1 - left
    return Passage(through_s, carried / used if used else 0.0)
