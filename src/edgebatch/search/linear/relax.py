"""The linear relaxation of a node of the linear search, and the cheapest candidates that it is made of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.search.heap import rise, sink
from edgebatch.search.jit import compiled
from edgebatch.search.simplex import pivot, price

FEASIBLE, INFEASIBLE, UNDECIDED = 0, 1, 2
"""Outcome of a test: a batch was built; there is none; the search ended before either was known."""

RELAXATION_STEPS = 60
"""Steps of column generation at most; the relaxation is undecided after that."""

STRENGTHENING_STEPS = 6
"""Column generation runs this long although a deadline is refuted: better multipliers refute others too."""

MARGIN = 1e-11
"""Relative rounding error of a sum of 10^5 floats: a budget is exceeded only beyond it."""


class Choice(NamedTuple):
    """The problem of one node: choose exactly `k` candidates within `room`.

    Attributes
    ----------
    cost
        Shape (rows, candidates).
    k
        Number to choose.
    room
        What the requests chosen so far leave of each budget, shape (rows,).
    """

    cost: NDArray[np.float64]
    k: int
    room: NDArray[np.float64]


@compiled(error_model="numpy")
def relax(node, multipliers, chosen, share, stopped):  # type: ignore[no-untyped-def]
    """Solve the linear relaxation of a node by column generation.

    It is a matrix game: a mixture of batches that overloads no row, against multipliers that overload
    every batch. With all entries shifted above zero it is a linear program with a row for each budget and
    a column for each batch, solved by the simplex method. The entering column is the slack of a row whose
    price fell below zero, else the batch of smallest surrogate cost. If that batch has no gain, no column
    has, and the prices are optimal multipliers.

    Parameters
    ----------
    multipliers
        Where to begin; filled with the strongest that were met.
    chosen, share
        Filled with a feasible batch if one is met, and with the share of each candidate in the mixture.
    stopped
        Ends the search between two steps, shape (1,).

    Returns
    -------
    int
        `FEASIBLE`; `INFEASIBLE`, as `multipliers` prove; `UNDECIDED`, with a mixture that fits.
    """
    cost, k, room = node
    count = cost.shape[0]
    shift = 1.0
    for r in range(count):
        shift = max(shift, 1 + room[r])
        if room[r] < 0:
            return INFEASIBLE
    if k == 0:
        return FEASIBLE
    if k < 0 or cost.shape[1] < k:
        return INFEASIBLE
    # the basis of all slacks, whose matrix is the identity
    inverse, members = np.empty((count, count)), np.empty((count, k), np.int64)
    value, gain, column = np.empty(count), np.empty(count), np.empty(count)
    prices, trial = np.empty(count), np.empty(count)
    for r in range(count):
        for c in range(count):
            inverse[r, c] = 1.0 if r == c else 0.0
        value[r], gain[r], prices[r], trial[r] = 1.0, 0.0, 0.0, multipliers[r]
    strongest = -np.inf
    for step in range(RELAXATION_STEPS):
        if stopped[0]:
            return UNDECIDED
        slack, lowest = -1, -1e-9
        for r in range(count):
            if prices[r] < lowest:
                slack, lowest = r, prices[r]
        for r in range(count):
            column[r] = 1.0 if r == slack else 0.0
        if slack < 0:
            cheapest(combine(cost, trial), k, chosen)
            fits, overload, entering = True, 0.0, 0.0
            for r in range(count):
                load = 0.0
                for j in range(k):
                    load += cost[r, chosen[j]]
                fits = fits and load <= room[r]
                overload += trial[r] * (load - room[r])
                column[r] = load - room[r] + shift
                entering += prices[r] * column[r]
            if fits:
                return FEASIBLE
            if overload > strongest:
                strongest = overload
                for r in range(count):
                    multipliers[r] = trial[r]
            if strongest > MARGIN * shift and (step >= STRENGTHENING_STEPS or entering >= 1 - 1e-3):
                return INFEASIBLE
            if step > 0 and entering >= 1 - 1e-9:
                break
        leaving = pivot(inverse, value, column)
        if leaving < 0:
            break
        gain[leaving] = 1.0 if slack < 0 else 0.0
        for j in range(k):
            members[leaving, j] = chosen[j]
        price(inverse, gain, prices, trial)
    if strongest > MARGIN * shift:
        return INFEASIBLE
    for i in range(share.size):
        share[i] = 0.0
    for r in range(count):
        if gain[r] > 0:
            for j in range(k):
                share[members[r, j]] += value[r]
    return UNDECIDED


@compiled(error_model="numpy")
def combine(cost, multipliers):  # type: ignore[no-untyped-def]
    """Surrogate cost of each candidate."""
    weight = np.empty(cost.shape[1])
    for i in range(weight.size):
        weight[i] = multipliers[0] * cost[0, i]
    for r in range(1, cost.shape[0]):
        if multipliers[r] > 0:
            for i in range(weight.size):
                weight[i] += multipliers[r] * cost[r, i]
    return weight


@compiled(error_model="numpy")
def columns(cost, index):  # type: ignore[no-untyped-def]
    """The columns `index`, as a new array."""
    result = np.empty((cost.shape[0], index.size))
    for r in range(cost.shape[0]):
        for j in range(index.size):
            result[r, j] = cost[r, index[j]]
    return result


@compiled(error_model="numpy")
def cheapest(weight, k, chosen):  # type: ignore[no-untyped-def]
    """Fill `chosen` with the `k` candidates of smallest surrogate cost; return the largest of these costs."""
    heap = np.empty(k)
    for i in range(weight.size):
        if i < k:
            rise(heap, i, weight[i])
        elif weight[i] < heap[0]:
            sink(heap, k, weight[i])
    taken = 0
    for i in range(weight.size):
        if weight[i] < heap[0]:
            chosen[taken] = i
            taken += 1
    for i in range(weight.size):
        if taken < k and weight[i] == heap[0]:
            chosen[taken] = i
            taken += 1
    return heap[0]
