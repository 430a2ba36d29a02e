"""The relaxation of a node, against a solver of linear programs."""

import numba
import numpy as np
import pytest
from scipy.optimize import linprog

from edgebatch.search.batch_cost import candidates_of
from edgebatch.search.boxes import game
from edgebatch.search.boxes.game import FEASIBLE, INFEASIBLE, UNDECIDED
from tests.edgebatch.instances import unit_instance


@numba.njit
def relax(candidates, members, cost, k, multipliers, share, batch):
    chosen, running = np.empty(members.size, np.int64), np.zeros(1, np.bool_)
    return game.relax(candidates, members, members.size, cost, k, multipliers, share, chosen, batch, running)


@numba.njit
def cheapest(weight, k):
    chosen = np.empty(weight.size, np.int64)
    return game.cheapest(weight, weight.size, k, chosen), chosen[:k]


def least_overload(cost, k, forced) -> float:
    """The least that a mixture of batches of `k` overloads its worst row by, by another solver."""
    rows, candidates = cost.shape
    found = linprog(
        np.append(np.zeros(candidates), 1.0),
        A_ub=np.hstack([cost, -np.ones((rows, 1))]),
        b_ub=np.ones(rows),
        A_eq=np.append(np.ones(candidates), 0.0)[None, :],
        b_eq=[k],
        bounds=[(float(must), 1) for must in forced] + [(None, None)],
    )
    return float(found.fun)


@pytest.mark.parametrize("candidates", [20, 300])
def test_the_relaxation_ends_at_the_optimum_of_the_linear_program(candidates):
    # the requests themselves fit no batch, so that the search does not end at one that fits its rows
    _, unservable = candidates_of(unit_instance([1] * candidates, memory_bytes=1.0), np.arange(candidates))
    outcomes = set()
    for seed in range(60):
        rng = np.random.default_rng([seed, candidates])
        k = int(rng.integers(4, candidates // 2))
        cost = rng.exponential(1.0, (4, candidates))
        filled = cost[:, np.argsort(rng.uniform(0.1, 1, 4) @ cost)[:k]].sum(axis=1)
        cost /= (filled * rng.uniform(0.99, 1.02, 4))[:, None]
        forced = rng.uniform(size=candidates) < 1.5 / candidates
        multipliers, share = np.full(4, 0.25), np.empty(candidates)
        members, batch = 2 * np.arange(candidates) + forced, np.empty(candidates, np.int64)
        outcome = relax(unservable, members, cost, k, multipliers, share, batch)
        outcomes.add(outcome)
        assert multipliers.min() >= 0
        assert multipliers.sum() == pytest.approx(1)
        weight = multipliers @ cost
        bound = weight[forced].sum() + np.sort(weight[~forced])[: k - forced.sum()].sum() - 1
        optimum = least_overload(cost, k, forced)
        if outcome == INFEASIBLE:
            assert bound > 0
            assert optimum > 0
        else:
            assert optimum < 1e-6
            assert bound <= optimum + 1e-6
            assert bound == pytest.approx(optimum, abs=4e-3)
            assert (cost @ share <= 1 + 4e-3).all()
            assert share.sum() == pytest.approx(k)
    assert outcomes == {INFEASIBLE, UNDECIDED}
    assert FEASIBLE not in outcomes


@pytest.mark.parametrize("ties", [False, True])
def test_the_cheapest_are_the_first_of_a_sorted_list(ties):
    for seed in range(200):
        rng = np.random.default_rng(seed)
        weight = rng.integers(0, 9, 120).astype(float) if ties else rng.exponential(1.0, 120)
        k = int(rng.integers(1, 121))
        largest, chosen = cheapest(weight, k)
        assert chosen.tolist() == sorted(set(chosen.tolist()))
        assert sorted(weight[chosen]) == sorted(weight)[:k]
        assert largest == sorted(weight)[k - 1]
