"""A model of the relaxation from the batches met so far, and steps to where it is lowest.

Each batch of a node is a cut: at any prices the node's best batch is worth no less. The lowest point of all
cuts within a box around the best prices is a linear program. Its duals are the shares in which batches
mix to the best schedule that is not whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from edgebatch.network.search.relaxation import Batch, Relaxation, Relaxed

MOST = 80
"""Latest batches of a node that the model has."""

FIRST_WIDTH, WIDER, NARROWER = 0.05, 1.3, 0.6
"""Half the width of the first box, in mean weights, and its factors after a success and a failure."""


class Lowest(NamedTuple):
    """Where the model is lowest.

    Attributes
    ----------
    prices
        Shape (requests,).
    node, batch, share
        The node, batch and share of the cut of largest share; a share of 0 without any.
    """

    prices: NDArray[np.float64]
    node: int
    batch: Batch
    share: float


class Cuts:
    """The batches of each node that were met."""

    def __init__(self, relaxation: Relaxation) -> None:
        self.relaxation = relaxation
        self._batches: list[list[Batch]] = [[] for _ in relaxation.pricers]

    def add(self, found: Relaxed) -> None:
        """Add what the nodes took."""
        for batches, batch in zip(self._batches, found.batches, strict=True):
            if batch.size:
                batches.append(batch)
                del batches[:-MOST]

    def lowest(
        self, center: NDArray[np.float64], width: float, nodes: Sequence[int], free: NDArray[np.bool_]
    ) -> Lowest:
        """The lowest point of the cuts of some nodes over the free requests, within a box.

        Parameters
        ----------
        center, width
            Prices differ from those of the center by no more than the width.
        """
        weight = self.relaxation.network.weight
        cuts = [(node, batch[free[batch]]) for node in nodes for batch in self._batches[node]]
        cuts = [cut for cut in cuts if cut[1].size]
        if not cuts:
            return Lowest(center, nodes[0], np.empty(0, np.int64), 0.0)
        # variables: prices of the requests in a cut, and what each node is worth
        requests = np.concatenate([batch for _, batch in cuts])
        used, place = np.unique(requests, return_inverse=True)
        row = np.repeat(np.arange(len(cuts)), [batch.size for _, batch in cuts])
        worth = used.size + np.searchsorted(np.sort(nodes), [node for node, _ in cuts])
        entries = np.concatenate([row, np.arange(len(cuts))]), np.concatenate([place, worth])
        shape = len(cuts), used.size + len(nodes)
        matrix = csr_array((-np.ones(entries[0].size), entries), shape=shape)
        bounds = np.zeros((shape[1], 2))
        bounds[: used.size, 0] = np.maximum(0.0, center[used] - width)
        bounds[: used.size, 1] = np.minimum(weight[used], center[used] + width)
        bounds[used.size :, 1] = np.inf
        total = -np.array([weight[batch].sum() for _, batch in cuts])
        solved = linprog(np.ones(shape[1]), A_ub=matrix, b_ub=total, bounds=bounds, method="highs-ds")
        if solved.status != 0:
            return Lowest(center, *cuts[-1], 0.0)
        prices = center.copy()
        prices[used] = solved.x[: used.size]
        shares = -solved.ineqlin.marginals
        most = int(np.argmax(shares))
        return Lowest(prices, *cuts[most], float(shares[most]))

    def refinement(self, best: Relaxed, node_limit: int, spare: float) -> Iterator[Relaxed]:
        """Steps without end to the lowest point of the model, in a box that fits how well it was right."""
        mean = float(self.relaxation.network.weight.mean())
        nodes, free = range(len(self._batches)), np.ones(best.prices.size, np.bool_)
        width, best = FIRST_WIDTH * mean, self.relaxation.at(best.prices, node_limit, spare)
        self.add(best)
        yield best
        while True:
            found = self.relaxation.at(self.lowest(best.prices, width, nodes, free).prices, node_limit, spare)
            self.add(found)
            yield found
            width *= WIDER if found.bound < best.bound else NARROWER
            best = min(best, found, key=lambda relaxed: relaxed.bound)
