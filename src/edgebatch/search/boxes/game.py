"""The relaxation of a node: a matrix game of multipliers against batches, by column generation.

Every budget is a row, scaled so that costs are shares of it. Multipliers >= 0 add the rows up to one
surrogate budget, which every batch of the node keeps. So there is no batch of k if the k of smallest
surrogate cost exceed it. The multipliers that these k exceed by most are one side of a matrix game; the
other is a mixture of batches that overloads no row by more.
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.batch_cost import is_feasible
from edgebatch.search.jit import compiled
from edgebatch.search.simplex import pivot, price

FEASIBLE, INFEASIBLE, UNDECIDED = 0, 1, 2
"""Outcome of a test: a batch was built; there is none; neither is known."""

RELAXATION_STEPS = 60
"""Steps of column generation at most."""

CORE, CORE_LEAST = 6, 64
"""Of more than CORE k + CORE_LEAST members, batches are first sought among half as many."""

LAX = 1e-3
"""Relative gain of an entering batch that is not worth another step where nothing is refuted."""

MARGIN = 1e-11
"""Relative rounding error of a sum of 10^5 floats: a budget is exceeded only beyond it."""

FORCED = 1e6
"""Taken off the surrogate cost of requests that must be chosen, so that they come first."""


@compiled(error_model="numpy", inner=True)
def relax(candidates, members, m, cost, k, multipliers, share, chosen, batch, stopped):  # type: ignore[no-untyped-def]
    """Solve the relaxation of a node; try each batch that fits its rows for real.

    With all entries shifted above zero, the game is a linear program with a row for each budget and a
    column for each batch, solved by the simplex method. The entering column is the slack of a row whose
    price fell below zero, else the batch of smallest surrogate cost. If that batch has no gain, no
    column has, and the prices are optimal multipliers.

    Parameters
    ----------
    members
        Candidates of the node, by rising output, twice each, plus 1 if it must be chosen; `m` are in use.
    cost
        Shares of each budget, shape (rows, at least m).
    k
        Number to choose.
    multipliers
        Where to begin; filled with the strongest that were met, of sum 1.
    share
        Filled with the share of each member in the mixture.
    chosen
        Scratch of at least m places.
    batch
        Filled with a feasible batch if one is met.
    stopped
        Ends the search between two steps, shape (1,).

    Returns
    -------
    int
        `FEASIBLE`; `INFEASIBLE`, as `multipliers` prove; or `UNDECIDED`.
    """
    count, shift = multipliers.size, 2.0
    inverse, held = np.empty((count, count)), np.empty((count, k), np.int64)
    value, gain, column = np.empty(count), np.empty(count), np.empty(count)
    prices, trial, weight = np.empty(count), np.empty(count), np.empty(m)
    # the basis of all slacks, whose matrix is the identity
    for r in range(count):
        for c in range(count):
            inverse[r, c] = 1.0 if r == c else 0.0
        value[r], gain[r], prices[r], trial[r] = 1.0, 0.0, 0.0, multipliers[r]
    strongest, core, size, whole = -np.inf, np.empty(m, np.int64), m, True
    for p in range(m):
        share[p] = 0.0
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
            if whole:
                combine(cost, trial, members, m, weight)
                cheapest(weight, m, k, chosen)
            else:
                for q in range(size):
                    weight[q] = -FORCED * (members[core[q]] & 1)
                    for r in range(count):
                        weight[q] += trial[r] * cost[r, core[q]]
                cheapest(weight, size, k, chosen)
                for j in range(k):
                    chosen[j] = core[chosen[j]]
            fits, overload, entering = True, 0.0, 0.0
            for r in range(count):
                load = 0.0
                for j in range(k):
                    load += cost[r, chosen[j]]
                fits = fits and load <= 1 + MARGIN
                overload += trial[r] * (load - 1)
                column[r] = load - 1 + shift
                entering += prices[r] * column[r]
            if fits:
                for j in range(k):
                    batch[j] = members[chosen[j]] >> 1
                if is_feasible(candidates, batch, k):
                    return FEASIBLE
            # with a mixture that overloads no row, multipliers need not be exact: they refute nothing
            worth = 0.0
            for r in range(count):
                worth += gain[r] * value[r]
            ended = step > 0 and entering >= (1 - LAX if worth * shift >= 1 + LAX else 1 - 1e-9)
            if whole and overload > strongest:
                strongest = overload
                for r in range(count):
                    multipliers[r] = trial[r]
            if whole and strongest > MARGIN * shift:
                return INFEASIBLE
            if whole and ended:
                break
            if not whole and (ended or overload > MARGIN * shift):
                whole = True
                continue
            if whole and m > CORE * k + CORE_LEAST:
                # the next batches are mostly of these
                size, whole = (CORE * k + CORE_LEAST) // 2, False
                cheapest(weight, m, size, core)
        leaving = pivot(inverse, value, column)
        if leaving < 0:
            break
        gain[leaving] = 1.0 if slack < 0 else 0.0
        for j in range(k):
            held[leaving, j] = chosen[j]
        price(inverse, gain, prices, trial)
    total = 0.0
    for r in range(count):
        total += gain[r] * value[r]
    for r in range(count):
        if gain[r] > 0 and value[r] > 0:
            for j in range(k):
                share[held[r, j]] += value[r] / total
    return UNDECIDED


@compiled(error_model="numpy", inner=True)
def combine(cost, multipliers, members, m, weight):  # type: ignore[no-untyped-def]
    """Fill `weight` with the surrogate costs, less `FORCED` for members that must be chosen."""
    a, b, c, d = multipliers[0], multipliers[1], multipliers[2], multipliers[3]
    for p in range(m):
        weight[p] = a * cost[0, p] + b * cost[1, p] + c * cost[2, p] + d * cost[3, p]
        weight[p] -= FORCED * (members[p] & 1)


@compiled(error_model="numpy", inner=True)
def cheapest(weight, m, k, chosen):  # type: ignore[no-untyped-def]
    """Fill `chosen`, rising, with the `k` members of smallest weight; return the largest of these weights.

    Weights below the k-th smallest so far are gathered, and cut back to k of them when there are too many.
    """
    least, count, largest = np.empty(2 * k + 32), 0, np.inf
    for p in range(m):
        if weight[p] < largest or count < k:
            least[count] = weight[p]
            count += 1
            if count == least.size:
                largest, count = _smallest(least, count, k), k
    largest = _smallest(least, count, k)
    ties = k
    for p in range(m):
        ties -= weight[p] < largest
    taken = 0
    for p in range(m):
        if weight[p] <= largest and (weight[p] < largest or ties > 0):
            ties -= weight[p] == largest
            chosen[taken] = p
            taken += 1
    return largest


@compiled(error_model="numpy", inner=True)
def _smallest(values, count, k):  # type: ignore[no-untyped-def]
    """Move the `k` smallest of the first `count` values to the front; return the largest of these."""
    low, high = 0, count - 1
    while low < high:
        pivot, i, j = values[(low + high) // 2], low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            break
    return values[k - 1]
