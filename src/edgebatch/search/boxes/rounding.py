"""Batches by greedy choice: the members of a box of least surrogate cost, as many as fit."""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import is_feasible
from edgebatch.search.boxes.game import FORCED, cheapest
from edgebatch.search.jit import compiled

SPARE = 32
"""Members that are tried beyond the number asked for."""


@compiled(error_model="numpy", inner=True)
def round_up(candidates, target, members, m, weight, k, batch, size):  # type: ignore[no-untyped-def]
    """Add the cheapest members that still fit to the first `size` of `batch`; return how many it has then.

    Only members none of whose values exceeds `target` are added. It ends early if fewer than `k` come of it.
    """
    within, order = np.empty(m), np.empty(m, np.int64)
    number = min(m, k + SPARE)
    for p in range(m):
        i = members[p] >> 1
        within[p] = weight[p] - FORCED * (members[p] & 1)
        for dimension in range(3):
            if candidates.value[dimension, i] > target[dimension]:
                within[p] = FORCED
    cheapest(within, m, number, order)
    for j in range(1, number):
        p, at = order[j], j
        while at > 0 and within[order[at - 1]] > within[p]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = p
    for j in range(number):
        if within[order[j]] >= FORCED or size + number - j < k:
            break
        i, at = members[order[j]] >> 1, size
        while at > 0 and batch[at - 1] > i:
            batch[at] = batch[at - 1]
            at -= 1
        batch[at] = i
        if (at == 0 or batch[at - 1] < i) and is_feasible(candidates, batch, size + 1):
            size += 1
        else:
            for q in range(at, size):
                batch[q] = batch[q + 1]
    return size
