"""The Lagrangian relaxation of a network: a price for each request, and each node for itself at those prices.

If every node may take any request at its price, the heaviest batches at the prices, and the prices of all
requests together, weigh no less than any schedule, whatever the prices >= 0 are. So the sum of what each
node's exact search proves is an upper bound at any size. Subgradient steps lower it: who is taken twice
becomes dearer, and who is taken by none cheaper.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.network.problem import Network
from edgebatch.network.search.pricing import Pricer

Batch = NDArray[np.int64]
NOTHING: Batch = np.empty(0, np.int64)

FIRST_STEP, SHORTER, PATIENCE = 0.5, 0.7, 2
"""Share of Polyak's step at first, by which it falls, and after how many steps without a better bound."""

ROUNDING = 1e-6
"""A bound on whole weights is rounded down to a whole number, unless it is no farther below it."""


class Relaxed(NamedTuple):
    """The relaxation at some prices.

    Attributes
    ----------
    prices
        Price of each request, shape (requests,).
    bound
        No schedule weighs more.
    batches
        What each node takes at the prices; a request may be in several.
    """

    prices: NDArray[np.float64]
    bound: float
    batches: list[Batch]


class Relaxation:
    """The nodes of a network, ready to be priced again and again."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.pricers = [Pricer(*pair) for pair in zip(network.instances, network.reach, strict=True)]
        self.whole = bool((network.weight == np.floor(network.weight)).all())

    def rounded(self, bound: float) -> float:
        """A bound as strong as the weights allow: at most all of them, and whole if they are."""
        bound = min(bound, float(self.network.weight.sum()))
        if self.whole:
            bound = float(np.floor(bound + ROUNDING))
        return bound if self.network.weighted else int(bound)

    def at(
        self,
        prices: NDArray[np.float64],
        node_limit: int,
        spare: float = 0.0,
        nodes: Sequence[int] | None = None,
        free: NDArray[np.bool_] | None = None,
    ) -> Relaxed:
        """Price nodes for themselves.

        Parameters
        ----------
        node_limit, spare
            As of `Pricer.heaviest`.
        nodes
            Which nodes; the others take nothing. None for all.
        free
            Which requests they may take, shape (requests,); None for all.
        """
        prices = prices if free is None else np.where(free, prices, 0.0)
        worth = self.network.weight - prices
        worth = worth if free is None else np.where(free, worth, 0.0)
        batches: list[Batch] = [NOTHING] * len(self.pricers)
        bound = float(prices.sum())
        for node in range(len(self.pricers)) if nodes is None else nodes:
            priced = self.pricers[node].heaviest(worth, spare, node_limit)
            bound += priced.bound
            batches[node] = priced.batch
        return Relaxed(prices, bound, batches)

    def descent(
        self, prices: NDArray[np.float64], target: float, node_limit: int, spare: float = 0.0
    ) -> Iterator[Relaxed]:
        """Subgradient steps without end, of Polyak's length [Polyak 1969].

        Parameters
        ----------
        target
            Weight of the best schedule so far, which the bound is to come near.
        """
        best, step, waited = Relaxed(prices, np.inf, []), FIRST_STEP, 0
        while True:
            found = self.at(prices, node_limit, spare)
            yield found
            if found.bound < best.bound * (1 - 1e-9):
                best, waited = found, 0
            else:
                waited += 1
                if waited == PATIENCE:
                    step, waited, prices = step * SHORTER, 0, best.prices
            taken = np.bincount(np.concatenate(found.batches), minlength=self.network.size)
            slope = 1.0 - taken
            # a price of 0 does not fall
            slope[(prices <= 0) & (slope > 0)] = 0.0
            length = step * max(0.0, found.bound - target) / max(1.0, float(slope @ slope))
            prices = np.clip(prices - length * slope, 0.0, self.network.weight)


def batches_of(network: Network, batches: Sequence[Batch]) -> tuple[tuple[int, ...], ...]:
    """Batches as tuples of plain whole numbers, in order of arrival."""
    assert len(batches) == len(network.nodes)
    return tuple(tuple(np.sort(batch).tolist()) for batch in batches)
