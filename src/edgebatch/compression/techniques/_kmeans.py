"""Weighted k-means of numbers on a line, exact: the least weighted squared error that k centroids leave.

Clusters of an optimum are intervals of the sorted numbers, so that dynamic programming finds them: the least
error of the first j numbers in k clusters is the least over i of that of the first i in k - 1, and of one
cluster from i to j. The best i does not fall as j rises, which bounds the search (Wang and Song,
Ckmeans.1d.dp, R Journal 3/2, 2011; here by divide and conquer).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.jit import compiled


@compiled(error_model="numpy", inner=True)
def _spread(sums, i, j):  # type: ignore[no-untyped-def]
    """Weighted squared error of numbers i to j - 1 around their mean."""
    weight = sums[0, j] - sums[0, i]
    if weight <= 0:
        return 0.0
    first = sums[1, j] - sums[1, i]
    return max(0.0, sums[2, j] - sums[2, i] - first * first / weight)


@compiled(error_model="numpy", inner=True)
def _add_cluster(sums, errors, least, best, stride):  # type: ignore[no-untyped-def]
    """Add a cluster: the least error of the first j numbers, and where the last cluster begins."""
    n = errors.size - 1
    best[0], least[0] = 0, 0.0
    while stride:
        for j in range(stride, n + 1, 2 * stride):
            low = best[j - stride]
            high = best[j + stride] if j + stride <= n else j
            found, at = np.inf, low
            for i in range(low, min(j, high) + 1):
                error = errors[i] + _spread(sums, i, j)
                if error < found:
                    found, at = error, i
            least[j], best[j] = found, at
        stride //= 2


@compiled(error_model="numpy", nogil=True)
def centroids(numbers: NDArray[np.float32], weights: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """The k centroids of each row, in rising order.

    Parameters
    ----------
    numbers, weights
        Shape (rows, columns); weights are not negative.

    Returns
    -------
    array
        Shape (rows, k); where fewer than k serve as well, the least is repeated.
    """
    rows, n = numbers.shape
    found = np.empty((rows, k), dtype=np.float32)
    sums = np.zeros((3, n + 1))
    best = np.zeros((k, n + 1), dtype=np.int32)
    errors, least = np.empty(n + 1), np.empty(n + 1)
    first = 1
    while 2 * first <= n:
        first *= 2
    for row in range(rows):
        order = np.argsort(numbers[row])
        for place in range(n):
            x, w = float(numbers[row, order[place]]), float(weights[row, order[place]])
            sums[0, place + 1] = sums[0, place] + w
            sums[1, place + 1] = sums[1, place] + w * x
            sums[2, place + 1] = sums[2, place] + w * x * x
        for j in range(n + 1):
            errors[j] = _spread(sums, 0, j)
        best[0] = 0
        for cluster in range(1, k):
            _add_cluster(sums, errors, least, best[cluster], first)
            errors[:] = least
        end, cluster, filled = n, k - 1, k
        while cluster >= 0:
            begin = best[cluster, end]
            weight = sums[0, end] - sums[0, begin]
            if weight > 0:
                filled -= 1
                found[row, filled] = (sums[1, end] - sums[1, begin]) / weight
            end = begin
            cluster -= 1
        if filled == k:
            found[row] = 0
        else:
            found[row, :filled] = found[row, filled]
    return found


@compiled(error_model="numpy", nogil=True)
def nearest_level(numbers: NDArray[np.float32], levels: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Index of the nearest of each row's rising levels, the lower of two; shape of `numbers`."""
    rows, columns = numbers.shape
    found = np.empty((rows, columns), dtype=np.uint8)
    for row in range(rows):
        middles = (levels[row, 1:] + levels[row, :-1]) / 2
        for column in range(columns):
            found[row, column] = np.searchsorted(middles, numbers[row, column])
    return found
