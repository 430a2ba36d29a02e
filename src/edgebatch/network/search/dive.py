"""A schedule by diving: one node after the other is settled, and prices are found anew for the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.search.cuts import Cuts
from edgebatch.network.search.relaxation import Batch

STEPS, WIDTH = 3, 0.02
"""Steps of the prices before a node is settled, and half the width of their first box in mean weights."""

NODE_LIMIT, LAST_NODE_LIMIT = 100, 400
"""Nodes of each search, and of that of the last node, which takes the best of what is left."""

SPARE = 1e-3
"""What a search may miss, in mean weights."""


def dive(
    cuts: Cuts, prices: NDArray[np.float64], nodes: Sequence[int], free: NDArray[np.bool_]
) -> dict[int, Batch]:
    """Batches of some nodes out of the free requests.

    The node is settled whose batch has the largest share in the mixture that the model of the relaxation
    has at its lowest point.

    Parameters
    ----------
    cuts
        Batches met so far; those met here are added.
    prices
        Where to begin, shape (requests,).
    """
    relaxation = cuts.relaxation
    mean = float(relaxation.network.weight.mean())
    free, left, settled = free.copy(), sorted(nodes), {}
    while len(left) > 1:
        width, bound, tried = WIDTH * mean, np.inf, prices
        for _ in range(STEPS):
            found = relaxation.at(tried, NODE_LIMIT, SPARE * mean, left, free)
            cuts.add(found)
            if found.bound < bound:
                bound, prices = found.bound, tried
            else:
                width /= 2
            low = cuts.lowest(prices, width, left, free)
            tried = low.prices
        settled[low.node] = low.batch
        left.remove(low.node)
        free[low.batch] = False
    last = left[0]
    worth = np.where(free, relaxation.network.weight, 0.0)
    settled[last] = relaxation.pricers[last].heaviest(worth, SPARE * mean, LAST_NODE_LIMIT).batch
    return settled
