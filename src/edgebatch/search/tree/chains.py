"""Levels of the search tree: chains of requests of one output length whose shares rise together."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Levels(NamedTuple):
    """Candidates in order of descending slack, and the chain of each.

    Attributes
    ----------
    chain, rank
        Chain of each request, and its place in that chain, shape (requests,).
    uplink_share, downlink_share, deadline_s
        Of each request, shape (requests,).
    start
        Offset of each chain in arrays that hold the chains one after the other, shape (chains + 1,).
    length
        Index of each chain's output length, rising, shape (chains,).
    """

    chain: NDArray[np.int64]
    rank: NDArray[np.int64]
    uplink_share: NDArray[np.float64]
    downlink_share: NDArray[np.float64]
    deadline_s: NDArray[np.float64]
    start: NDArray[np.int64]
    length: NDArray[np.int64]


def chains(
    length: NDArray[np.int64], uplink: NDArray[np.float64], downlink: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Split requests into the fewest chains on which both shares rise together.

    Requests of one output length are visited in order of their uplink share. Each joins the chain whose
    last downlink share is the largest that does not exceed its own. This greedy cover by non-decreasing
    subsequences is minimal (Dilworth). A prefix of a chain is an optimal choice from it: replacing one of
    its requests by a later one lowers neither share.

    Parameters
    ----------
    length
        Index of each request's output length, shape (requests,).
    uplink, downlink
        Shares of the two bands, shape (requests,).

    Returns
    -------
    chain, rank
        Of each request, shape (requests,).
    chain_length
        Output-length index of each chain, rising, shape (chains,).
    """
    chain = np.empty(length.size, dtype=np.int64)
    rank = np.empty(length.size, dtype=np.int64)
    chain_length: list[int] = []
    sizes: list[int] = []
    tails: list[tuple[float, int]] = []
    for i in np.lexsort((downlink, uplink, length)):
        if not chain_length or chain_length[-1] != length[i]:
            tails = []
        place = bisect_right(tails, (float(downlink[i]), length.size))
        if place:
            _, k = tails.pop(place - 1)
        else:
            k = len(sizes)
            sizes.append(0)
            chain_length.append(int(length[i]))
        insort(tails, (float(downlink[i]), k))
        chain[i], rank[i] = k, sizes[k]
        sizes[k] += 1
    return chain, rank, np.array(chain_length, dtype=np.int64)
