"""The parts of surrogate branch and bound, each against trying everything."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import linprog

from edgebatch.search.linear import decide as tested
from edgebatch.search.linear.decide import Limits, Rows
from edgebatch.search.linear.relax import FEASIBLE, INFEASIBLE, UNDECIDED, Choice, relax

SEEDS = range(150)
NO_LIMIT = 10**9


def random_rows(seed: int, candidates: int = 9, ties: bool = False) -> Rows:
    """Candidates by falling deadline, with three budgets that are constant and one that is the deadline."""
    rng = np.random.default_rng(seed)
    cost = rng.exponential(1.0, (4, candidates)) / rng.uniform(1.5, 4, (4, 1))
    deadline_s = np.sort(rng.uniform(0.3, 1.0, candidates))[::-1].copy()
    if ties:
        cost, deadline_s = np.ceil(4 * cost) / 4, np.ceil(3 * deadline_s) / 3
    return Rows(cost, deadline_s, np.array([1.0, 1.0, 1.0, 0.0]), np.array([0.0, 0.0, 0.0, 1.0]))


def fits(rows: Rows, batch) -> bool:
    batch = list(batch)
    budget = rows.constant + rows.per_second * rows.deadline_s[batch].min()
    return bool((rows.cost[:, batch].sum(axis=1) <= budget).all())


def batches(rows: Rows, k: int) -> list[tuple[int, ...]]:
    return [batch for batch in combinations(range(rows.deadline_s.size), k) if fits(rows, batch)]


def optimum(rows: Rows) -> int:
    return max((k for k in range(1, rows.deadline_s.size + 1) if batches(rows, k)), default=0)


def decide(k: int, rows: Rows, limit: int = NO_LIMIT, stopped: bool = False):
    pool, nodes = np.full((3, 4), 0.25), np.zeros(1, np.int64)
    chosen = np.empty(rows.deadline_s.size, np.int64)
    limits = Limits(nodes, limit, limit, np.array([stopped]))
    outcome = tested.decide(k, rows, pool, limits, chosen)
    return outcome, int(nodes[0]), chosen[:k], pool


@pytest.mark.parametrize("ties", [False, True])
def test_a_size_is_found_exactly_if_trying_all_batches_finds_it(ties):
    for seed in SEEDS:
        rows = random_rows(seed, ties=ties)
        best = optimum(rows)
        for k in range(1, rows.deadline_s.size + 1):
            outcome, _, batch, _ = decide(k, rows)
            assert outcome == (FEASIBLE if k <= best else INFEASIBLE)
            if outcome == FEASIBLE:
                assert len(set(batch.tolist())) == k
                assert fits(rows, batch)


def test_without_nodes_a_size_is_left_open_rather_than_decided_wrongly():
    left_open = 0
    for seed in SEEDS:
        rows = random_rows(seed)
        best = optimum(rows)
        for k in range(1, rows.deadline_s.size + 1):
            outcome, nodes, _, _ = decide(k, rows, limit=0)
            assert nodes == 0
            assert outcome == UNDECIDED or outcome == (FEASIBLE if k <= best else INFEASIBLE)
            left_open += outcome == UNDECIDED
    assert left_open > 10


def test_a_search_that_is_stopped_claims_nothing_that_it_has_not_proven():
    left_undecided = 0
    for seed in SEEDS:
        rows = random_rows(seed)
        best = optimum(rows)
        for k in range(1, rows.deadline_s.size + 1):
            outcome, nodes, _, _ = decide(k, rows, stopped=True)
            assert nodes == 0
            assert outcome == UNDECIDED or outcome == (FEASIBLE if k <= best else INFEASIBLE)
            left_undecided += outcome == UNDECIDED
    assert left_undecided > 10


@pytest.mark.parametrize("limit", [1, 3, 6])
def test_a_node_limit_is_kept_exactly(limit):
    visited = [decide(optimum(rows), rows, limit=limit)[1] for rows in map(random_rows, range(600))]
    assert max(visited) == limit


def test_no_batch_is_larger_than_any_surrogate_budget_allows():
    tight = 0
    for seed in SEEDS:
        rows = random_rows(seed)
        best = optimum(rows)
        bounds = [
            tested.surrogate_bound(rows, m) for m in np.random.default_rng(seed).dirichlet(np.ones(4), 20)
        ]
        assert min(bounds) >= best
        tight += min(bounds) == best
    assert tight > len(SEEDS) // 4


def test_one_surrogate_budget_alone_is_solved_exactly():
    for seed in SEEDS:
        rows = random_rows(seed)
        multipliers = np.random.default_rng(seed).dirichlet(np.ones(4))
        single = Rows(
            (multipliers @ rows.cost)[None],
            rows.deadline_s,
            np.array([multipliers @ rows.constant]),
            np.array([multipliers @ rows.per_second]),
        )
        assert tested.surrogate_bound(rows, multipliers) == optimum(single)


def test_multipliers_stay_prices():
    for seed in SEEDS:
        rows = random_rows(seed)
        *_, pool = decide(optimum(rows) + 1, rows)
        assert (pool >= 0).all()
        assert np.allclose(pool.sum(axis=1), 1)


def test_requests_with_equal_costs_do_not_multiply_the_search():
    rng = np.random.default_rng(0)
    cost = np.repeat(rng.uniform(0.05, 0.15, (4, 6)), 20, axis=1)
    rows = Rows(cost, np.ones(120), np.ones(4), np.zeros(4))
    sizes = [decide(k, rows)[0] for k in range(1, 25)]
    assert sizes == sorted(sizes)
    assert max(decide(k, rows)[1] for k in range(1, 25)) < 2000


def least_overload(cost, k: int, room) -> float:
    """The least that a mixture of batches of `k` overloads its worst row by, by another solver."""
    rows, candidates = cost.shape
    found = linprog(
        np.append(np.zeros(candidates), 1.0),
        A_ub=np.hstack([cost, -np.ones((rows, 1))]),
        b_ub=room,
        A_eq=np.append(np.ones(candidates), 0.0)[None, :],
        b_eq=[k],
        bounds=[(0, 1)] * candidates + [(None, None)],
    )
    return float(found.fun)


@pytest.mark.parametrize("candidates", [20, 300])
def test_the_relaxation_ends_at_the_optimum_of_the_linear_program(candidates):
    opened = 0
    for seed in range(60):
        rng = np.random.default_rng([seed, candidates])
        cost = rng.exponential(1.0, (4, candidates))
        k = int(rng.integers(2, candidates // 2))
        room = cost[:, np.argsort(rng.uniform(0.1, 1, 4) @ cost)[:k]].sum(axis=1) * rng.uniform(0.99, 1.02, 4)
        multipliers, share = np.full(4, 0.25), np.empty(candidates)
        chosen = np.empty(candidates, np.int64)
        node, running = Choice(cost, k, room), np.zeros(1, np.bool_)
        outcome = relax(node, multipliers, chosen, share, running)
        optimum = least_overload(cost, k, room)
        assert multipliers.min() >= 0
        bound = np.sort(multipliers @ cost)[:k].sum() - multipliers @ room
        if outcome == INFEASIBLE:
            assert bound > 0
            assert optimum > 0
        elif outcome == UNDECIDED:
            opened += 1
            assert optimum < 1e-6
            assert bound == pytest.approx(optimum, abs=1e-6)
            assert (cost @ (share * k / share.sum()) <= room + 1e-6).all()
        else:
            assert (cost[:, chosen[:k]].sum(axis=1) <= room).all()
    assert opened >= 5
