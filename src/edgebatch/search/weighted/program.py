"""The linear relaxation of a box with weights, by the dual simplex method with bounded variables.

Maximize the weight of shares in [0, 1] of the members, within four budgets. A basis has one variable for each
budget; all others are at 0 or 1, by the sign of their reduced weight, so that every basis is dual feasible,
also that of a box before. The slack of a budget is at most the budget, since no cost is negative. Each step
passes as many bounds as raise the bound no more than the step lowers it (the long-step rule).
"""

from __future__ import annotations

import numpy as np

from edgebatch.search.jit import compiled

STEPS = 60
"""Steps at most: the bound holds after each."""

RAISED, GOLDEN = 1e-6, 0.6180339887498949
"""Weights are raised by up to this share, each by another, so that equals do not make the method cycle."""

TINY = 1e-9
"""Pivots and violations below this are none."""


@compiled(error_model="numpy", inner=True)
def relax(cost, weight, members, m, room, basis, prices, reduced, share, cut):  # type: ignore[no-untyped-def]
    """Bound the weight of the free members of a box.

    Parameters
    ----------
    cost
        Shares of each budget that members take, shape (4, at least m).
    weight
        Weight of each member, shape (at least m,).
    members
        As of `edgebatch.search.boxes.game.relax`; those that must be chosen are left out.
    room
        What the budgets leave, shape (4,).
    basis
        Where to begin: a member's place, or -1 - r for the slack of budget r; improved.
    prices
        Filled with the prices of the budgets.
    reduced, share
        Filled with the weight of each member less what it costs, and with its share.
    cut
        Ends as soon as the bound is at most this.

    Returns
    -------
    float
        No choice of free members within the budgets weighs more.
    """
    inverse, value, alpha = np.empty((4, 4)), np.empty(4), np.empty(4)
    basic, load = np.zeros(m, np.bool_), np.empty(4)
    ratio, slope, which = np.empty(m + 4), np.empty(m + 4), np.empty(m + 4, np.int64)
    raised = np.empty(m)
    for p in range(m):
        raised[p] = weight[p] * (1 + RAISED * (p * GOLDEN % 1.0))
    _begin(cost, basis, inverse, basic)
    bound = np.inf
    for step in range(STEPS):
        for r in range(4):
            prices[r] = 0.0
            for i in range(4):
                if basis[i] >= 0:
                    prices[r] += raised[basis[i]] * inverse[i, r]
        a, b, c, d = prices[0], prices[1], prices[2], prices[3]
        total, up, down, memory, time = 0.0, 0.0, 0.0, 0.0, 0.0
        for p in range(m):
            if members[p] & 1:
                continue
            left = raised[p] - (a * cost[0, p] + b * cost[1, p] + c * cost[2, p] + d * cost[3, p])
            reduced[p] = left
            if left > 0 and not basic[p]:
                total += left
                up += cost[0, p]
                down += cost[1, p]
                memory += cost[2, p]
                time += cost[3, p]
        load[0], load[1], load[2], load[3] = up, down, memory, time
        for r in range(4):
            total += max(0.0, prices[r]) * room[r]
            if prices[r] < -TINY and not _holds(basis, -1 - r):
                load[r] += room[r]
        for i in range(4):
            if basis[i] >= 0:
                # zero but for rounding, which counts
                total += max(0.0, reduced[basis[i]])
        bound = min(bound, total)
        if bound <= cut:
            break
        leaving, worst, sign = -1, TINY, 0.0
        for i in range(4):
            value[i] = 0.0
            for r in range(4):
                value[i] += inverse[i, r] * (room[r] - load[r])
            most = 1.0 if basis[i] >= 0 else room[-1 - basis[i]]
            if -value[i] > worst:
                leaving, worst, sign = i, -value[i], 1.0
            if value[i] - most > worst:
                leaving, worst, sign = i, value[i] - most, -1.0
        if leaving < 0 or step == STEPS - 1:
            break
        count = _breakpoints(
            cost, members, m, room, basis, basic, prices, reduced, inverse, leaving, sign, ratio, slope, which
        )
        entering = _passed(ratio, slope, which, count, worst)
        if entering == -5:
            break
        for i in range(4):
            alpha[i] = 0.0
            for r in range(4):
                if entering >= 0:
                    alpha[i] += inverse[i, r] * cost[r, entering]
                elif r == -1 - entering:
                    alpha[i] += inverse[i, r]
        if basis[leaving] >= 0:
            basic[basis[leaving]] = False
        if entering >= 0:
            basic[entering] = True
        basis[leaving] = entering
        _pivot(inverse, alpha, leaving)
    for p in range(m):
        share[p] = 1.0 if members[p] & 1 or reduced[p] > 0 else 0.0
    for i in range(4):
        if basis[i] >= 0:
            share[basis[i]] = min(1.0, max(0.0, value[i])) if bound > cut else 0.5
    total = 0.0
    for r in range(4):
        total += max(0.0, prices[r]) * room[r]
    for p in range(m):
        if not members[p] & 1:
            reduced[p] -= raised[p] - weight[p]
            total += max(0.0, reduced[p])
    return min(bound, total)


@compiled(error_model="numpy", inner=True)
def _begin(cost, basis, inverse, basic):  # type: ignore[no-untyped-def]
    """Bring the members of a basis in, one by one, each for a slack that is not part of it."""
    alpha, wanted = np.empty(4), basis.copy()
    for r in range(4):
        basis[r] = -1 - r
        for c in range(4):
            inverse[r, c] = 1.0 if r == c else 0.0
    for p in wanted:
        if p < 0 or basic[p]:
            continue
        leaving, largest = -1, 1e-6
        for i in range(4):
            alpha[i] = 0.0
            for r in range(4):
                alpha[i] += inverse[i, r] * cost[r, p]
            if basis[i] < 0 and not _holds(wanted, basis[i]) and abs(alpha[i]) > largest:
                leaving, largest = i, abs(alpha[i])
        if leaving >= 0:
            basis[leaving], basic[p] = p, True
            _pivot(inverse, alpha, leaving)


@compiled(error_model="numpy", inner=True)
def _holds(basis, variable):  # type: ignore[no-untyped-def]
    """Whether a basis holds a variable."""
    return basis[0] == variable or basis[1] == variable or basis[2] == variable or basis[3] == variable


@compiled(error_model="numpy", inner=True)
def _pivot(inverse, alpha, leaving):  # type: ignore[no-untyped-def]
    """Update the inverse of a basis."""
    for c in range(4):
        inverse[leaving, c] /= alpha[leaving]
    for i in range(4):
        if i != leaving:
            for c in range(4):
                inverse[i, c] -= alpha[i] * inverse[leaving, c]


@compiled(error_model="numpy", inner=True)
def _breakpoints(  # type: ignore[no-untyped-def]
    cost, members, m, room, basis, basic, prices, reduced, inverse, leaving, sign, ratio, slope, which
):
    """Where the reduced weight of a variable changes its sign as a basic one leaves; return how many do."""
    count = 0
    a, b, c, d = inverse[leaving, 0], inverse[leaving, 1], inverse[leaving, 2], inverse[leaving, 3]
    for p in range(m):
        if members[p] & 1 or basic[p]:
            continue
        alpha = sign * (a * cost[0, p] + b * cost[1, p] + c * cost[2, p] + d * cost[3, p])
        if (reduced[p] > 0 and alpha > TINY) or (reduced[p] <= 0 and alpha < -TINY):
            ratio[count], slope[count], which[count] = reduced[p] / alpha, abs(alpha), p
            count += 1
    for r in range(4):
        alpha = sign * inverse[leaving, r]
        if _holds(basis, -1 - r):
            continue
        if (prices[r] < 0 and alpha > TINY) or (prices[r] >= 0 and alpha < -TINY):
            ratio[count], slope[count], which[count] = -prices[r] / alpha, abs(alpha) * room[r], -1 - r
            count += 1
    return count


@compiled(error_model="numpy", inner=True)
def _passed(ratio, slope, which, count, violation):  # type: ignore[no-untyped-def]
    """The variable at whose breakpoint, in rising order, the slopes sum to the violation; -5 if none does."""
    low, high, left = 0, count - 1, violation
    while low < high:
        pivot, i, j = ratio[(low + high) // 2], low, high
        while i <= j:
            while ratio[i] < pivot:
                i += 1
            while ratio[j] > pivot:
                j -= 1
            if i <= j:
                ratio[i], ratio[j] = ratio[j], ratio[i]
                slope[i], slope[j] = slope[j], slope[i]
                which[i], which[j] = which[j], which[i]
                i += 1
                j -= 1
        before = 0.0
        for q in range(low, j + 1):
            before += slope[q]
        if before >= left:
            high = j
            continue
        between = 0.0
        for q in range(j + 1, i):
            between += slope[q]
        if before + between >= left:
            return which[j + 1]
        left -= before + between
        low = i
    return which[low] if low == high else -5
