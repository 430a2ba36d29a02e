"""Batches by greedy choice: the members of a box of least surrogate cost, as many as fit."""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import is_feasible
from edgebatch.search.game import cheapest
from edgebatch.search.jit import compiled

SPARE = 32
"""Members that are tried beyond the number asked for."""


@compiled(error_model="numpy", inner=True)
def round_up(candidates, box, members, m, weight, k, batch, order):  # type: ignore[no-untyped-def]
    """Fill `batch` with members that fit together, the cheapest first; return their number.

    Once among all members, and once among those that fit the middle of the box.
    """
    within = np.empty(m)
    middle = (box[:, 0] + box[:, 1]) / 2
    for attempt in range(2):
        for p in range(m):
            i = members[p] >> 1
            within[p] = weight[p] - 1e6 * (members[p] & 1)
            if attempt == 1 and (
                candidates.prompt[i] > middle[0]
                or candidates.rank[i] > middle[1]
                or candidates.deadline_s[i] < middle[2]
            ):
                within[p] = 1e6
        number = min(m, k + SPARE)
        cheapest(within, m, number, order)
        for j in range(1, number):
            p, at = order[j], j
            while at > 0 and within[order[at - 1]] > within[p]:
                order[at] = order[at - 1]
                at -= 1
            order[at] = p
        size = 0
        for j in range(number):
            if within[order[j]] >= 1e6 or size + number - j < k:
                break
            i, at = members[order[j]] >> 1, size
            while at > 0 and batch[at - 1] > i:
                batch[at] = batch[at - 1]
                at -= 1
            batch[at] = i
            if is_feasible(candidates, batch, size + 1):
                size += 1
            else:
                for q in range(at, size):
                    batch[q] = batch[q + 1]
        if size >= k:
            return size
    return 0
