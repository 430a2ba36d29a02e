"""Moves from schedule to schedule of a network: some nodes give up what they serve and choose anew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.search.relaxation import NOTHING, Batch, Relaxation

NODE_LIMIT = 50
"""Nodes of each search."""

LEAST = 1e-3
"""A request that is not worth its price weighs this share of the mean weight, to fill what is left."""

THRIFT = 0.03
"""Share of the prices that counts where a node chooses among batches of about one weight."""

DISCOUNT, NOISE = (0.6, 1.05), (0.8, 1.2)
"""Ranges of the factors on all prices, and on each, in a move."""

AT_ONCE = 3
"""Nodes that choose anew in a move, at most."""


class Filling:
    """Batches of all nodes, and who is free.

    Attributes
    ----------
    batches
        The batch of each node, as indices into the network.
    free
        Which requests no node serves, shape (requests,).
    """

    def __init__(self, relaxation: Relaxation, batches: Sequence[Batch]) -> None:
        self.relaxation, self.batches = relaxation, list(batches)
        self.free = np.ones(relaxation.network.size, np.bool_)
        for batch in batches:
            self.free[batch] = False

    def copy(self) -> Filling:
        """The same, to be changed."""
        return Filling(self.relaxation, self.batches)

    @property
    def weight(self) -> float:
        """Weight of all that are served."""
        return self.relaxation.network.weight_of(np.flatnonzero(~self.free).tolist())

    def choose_anew(self, nodes: Sequence[int], prices: NDArray[np.float64]) -> None:
        """Let nodes give up what they serve; each in turn takes the free ones worth most above prices.

        The last of them takes a batch of most weight; all others then exchange theirs for no lighter ones.
        """
        weight = self.relaxation.network.weight
        self.settle(dict.fromkeys(nodes, NOTHING))
        worth = np.maximum(weight - prices, LEAST * weight.mean())
        for node in nodes[:-1]:
            self._serve(node, self._heaviest(node, np.where(self.free, worth, 0.0)))
        self.top_up([nodes[-1], *nodes[:-1]], prices)

    def settle(self, batches: dict[int, Batch]) -> None:
        """Give nodes new batches out of what is free and what they had."""
        for node in batches:
            self.free[self.batches[node]] = True
        for node, batch in batches.items():
            self._serve(node, batch)

    def top_up(self, nodes: Sequence[int], prices: NDArray[np.float64]) -> None:
        """Let each of some nodes in turn exchange what it serves for a batch of no less weight.

        Among those it takes one of low prices, which leaves the requests that others need.
        """
        weight = self.relaxation.network.weight
        worth = weight - THRIFT * np.minimum(prices, weight)
        for node in nodes:
            own = self.batches[node]
            self.free[own] = True
            batch = self._heaviest(node, np.where(self.free, worth, 0.0))
            self._serve(node, batch if weight[batch].sum() >= weight[own].sum() else own)

    def _heaviest(self, node: int, worth: NDArray[np.float64]) -> Batch:
        spare = LEAST * float(self.relaxation.network.weight.mean())
        return self.relaxation.pricers[node].heaviest(worth, spare, NODE_LIMIT).batch

    def _serve(self, node: int, batch: Batch) -> None:
        self.batches[node] = batch
        self.free[batch] = False


def improve(
    filling: Filling, prices: NDArray[np.float64], moves: int, enough: float, rng: np.random.Generator
) -> Filling:
    """Try random moves, and keep each that does not lose weight.

    Parameters
    ----------
    enough
        It ends at this weight.
    """
    number = len(filling.batches)
    for _ in range(moves):
        if number == 1 or filling.weight >= enough:
            break
        nodes = rng.permutation(number)[: rng.integers(2, min(number, AT_ONCE) + 1)].tolist()
        noisy = prices * rng.uniform(*DISCOUNT) * rng.uniform(*NOISE, prices.size)
        moved = filling.copy()
        moved.choose_anew(nodes, noisy)
        if moved.weight >= filling.weight:
            filling = moved
    return filling
