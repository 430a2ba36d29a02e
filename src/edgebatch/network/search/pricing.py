"""The heaviest batch of one node for any weights of its requests: the exact search, many times over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import Instance
from edgebatch.search.batch_cost import Candidates, candidates_of
from edgebatch.search.boxes.search import Limits
from edgebatch.search.linear.sizes import NO_NODE_LIMIT
from edgebatch.search.weighted import search


class Priced(NamedTuple):
    """A batch of a node.

    Attributes
    ----------
    batch
        Indices into the network, rising.
    worth
        Sum of the weights that were asked for.
    bound
        No batch of the node is worth more.
    """

    batch: NDArray[np.int64]
    worth: float
    bound: float


class Pricer:
    """A node whose requests are weighed again and again.

    Parameters
    ----------
    instance
        The requests within reach of the node, as an epoch of it alone.
    requests
        Which requests of the network these are, shape (requests of the instance,).
    """

    def __init__(self, instance: Instance, requests: NDArray[np.int64]) -> None:
        servable = np.flatnonzero(instance.servable())
        order, self._candidates = candidates_of(instance, servable)
        self.requests = requests[order]
        self._running = np.zeros(1, np.bool_)

    def heaviest(
        self, worth: NDArray[np.float64], spare: float = 0.0, node_limit: int = NO_NODE_LIMIT
    ) -> Priced:
        """The batch of most worth; requests without worth are in none.

        Parameters
        ----------
        worth
            Of every request of the network, shape (requests,).
        spare
            A batch need not be found that is worth more by no more than this.
        node_limit
            Most nodes of the search.
        """
        own = worth[self.requests]
        kept = np.flatnonzero(own > 0)
        if kept.size == 0:
            return Priced(np.empty(0, np.int64), 0.0, 0.0)
        unit, best = float(own[kept].max()), np.empty(kept.size, np.int64)
        candidates = _of(self._candidates, kept)
        size, worth_, bound, _ = search.heaviest_batch(
            candidates, own[kept] / unit, spare / unit, best, 0, Limits(node_limit, self._running)
        )
        batch = np.sort(self.requests[kept[best[: int(size)]]])
        return Priced(batch, float(worth_) * unit, max(float(bound), float(worth_) + spare / unit) * unit)


def _of(candidates: Candidates, kept: NDArray[np.int64]) -> Candidates:
    """Some of the candidates, in their order."""
    place = np.full(candidates.rank.size, -1)
    place[kept] = np.arange(kept.size)
    orders = place[candidates.order]
    rank = candidates.rank[kept]
    longer = np.diff(rank, prepend=rank[:1]) > 0
    return Candidates(
        uplink=candidates.uplink[kept],
        downlink=candidates.downlink[kept],
        value=candidates.value[:, kept],
        order=np.stack([order[order >= 0] for order in orders]),
        rank=np.cumsum(longer),
        lengths=candidates.lengths[np.append(rank[:1], rank[longer])],
        prices=candidates.prices,
    )
