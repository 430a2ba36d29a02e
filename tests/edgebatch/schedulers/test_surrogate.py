"""Surrogate branch and bound as a scheduler: every padding, cost and limit."""

import dataclasses
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgebatch import check, solve
from edgebatch.problem import RELATIVE_TOLERANCE
from edgebatch.schedulers import surrogate
from edgebatch.search import largest_batch
from edgebatch.search.largest_batch import Search
from tests.edgebatch.instances import KINDS, random_instance, sample, under_roofline


def instances(count: int, most: int, seed: int = 0):
    """Random instances of all kinds in turn, with up to `most` requests."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        yield random_instance(rng, int(rng.integers(1, most + 1)), **KINDS[number % len(KINDS)])


def test_the_optimum_is_that_of_dftsp():
    for instance in instances(300, 16):
        schedule = solve(instance, "surrogate")
        assert schedule.optimal
        assert schedule.size == solve(instance, "dftsp").size
        check(instance, schedule)


@pytest.mark.parametrize("requests", [0.5, 2.0, 5.0])
def test_the_optimum_is_that_of_dftsp_where_steps_wait_for_memory(requests):
    for instance in instances(100, 12, seed=1):
        instance = under_roofline(instance, requests)
        schedule = solve(instance, "surrogate")
        assert schedule.optimal
        assert schedule.size == solve(instance, "dftsp").size
        check(instance, schedule)


def test_a_sample_of_the_candidates_leads_to_the_same_optimum(monkeypatch):
    whole = [solve(instance, "surrogate").size for instance in instances(200, 30, seed=2)]
    monkeypatch.setattr(largest_batch, "CORE_SIZE", 4)
    assert [solve(instance, "surrogate").size for instance in instances(200, 30, seed=2)] == whole


@pytest.mark.parametrize("limit", [{"node_limit": 1}, {"node_limit": 2}, {"time_limit_s": 1e-9}])
def test_cut_off_it_brackets_the_optimum(limit):
    cut_off = 0
    for instance in instances(256, 60, seed=3):
        best = solve(instance, "surrogate").size
        schedule = solve(instance, "surrogate", **limit)
        check(instance, schedule)
        assert schedule.size <= best <= schedule.upper_bound
        assert schedule.node_limit_reached == (not schedule.optimal)
        cut_off += not schedule.optimal
    assert cut_off > 3


@pytest.mark.parametrize("cost", ["flops", "roofline"])
@pytest.mark.parametrize("looks", range(0, 40, 4))
def test_stopped_at_any_moment_it_brackets_the_optimum(looks, cost, monkeypatch):
    stopped = 0
    for instance in instances(48, 30, seed=4):
        instance = under_roofline(instance) if cost == "roofline" else instance
        best = solve(instance, "surrogate").size
        left = itertools.count(looks, -1)
        monkeypatch.setattr(Search, "out_of_time", lambda self, left=left: next(left) <= 0)
        schedule = solve(instance, "surrogate", time_limit_s=1000.0)
        monkeypatch.undo()
        check(instance, schedule)
        assert schedule.size <= best <= schedule.upper_bound
        stopped += next(left) < 0
    assert stopped > 0


@pytest.mark.parametrize("node_limit", [1, 2, 3, 5, 9])
def test_no_more_nodes_are_visited_than_the_limit_allows(node_limit):
    reached = 0
    for instance in instances(256, 60, seed=3):
        nodes = solve(instance, "surrogate", node_limit=node_limit).nodes_visited
        assert nodes <= node_limit
        reached += nodes == node_limit
    assert reached > 0


def test_a_time_limit_that_is_not_reached_changes_nothing():
    for instance in instances(128, 60, seed=3):
        assert solve(instance, "surrogate", time_limit_s=1000.0) == solve(instance, "surrogate")


def test_someone_is_served_even_without_time_to_search():
    for instance in instances(64, 60, seed=6):
        schedule = solve(instance, "surrogate", time_limit_s=1e-9)
        assert (schedule.size > 0) == bool(instance.servable().any())


def test_without_compilation_schedules_are_the_same_plain_values():
    # not compiled, the search returns numpy's types
    program = f"from {__name__} import schedules_as_json; print(schedules_as_json())"
    root = Path(__file__).parents[3]
    interpreted = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=interpreted, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == schedules_as_json()


def schedules_as_json() -> str:
    few = [*instances(16, 12, seed=7), *map(under_roofline, instances(4, 6, seed=7))]
    return json.dumps([dataclasses.asdict(solve(x, "surrogate")) for x in few])


def test_a_tangent_is_never_above_the_compute_time_and_touches_it():
    for number, instance in enumerate(sample(100)):
        instance = under_roofline(instance, 2.0)
        system, rng = instance.system, np.random.default_rng(number)
        padded = system.fixed_padding_tokens or 512
        fit = np.arange(instance.size)
        rows = surrogate.linear_rows(instance, padded, fit)
        longest = int(instance.output_tokens.max())
        at = np.union1d(rng.choice(fit, rng.integers(1, fit.size)), instance.output_tokens.argmax())
        live = (instance.output_tokens[at, None] >= np.arange(1, longest + 1)).sum(axis=0)
        tangent = surrogate.with_tangent(instance, padded, fit, rows, live)
        for _ in range(10):
            batch = np.union1d(rng.choice(fit, rng.integers(1, fit.size)), instance.output_tokens.argmax())
            assert seconds(tangent, batch, system) <= time_s(instance, padded, batch) * (1 + 1e-12)
        assert seconds(tangent, at, system) == pytest.approx(time_s(instance, padded, at), rel=1e-12)


def seconds(tangent, batch, system):
    parts = tangent.cost[-1, batch].sum() - tangent.constant[-1]
    return parts * system.slots.compute_s * (1 + RELATIVE_TOLERANCE)


def time_s(instance, padded, batch):
    lengths, counts = np.unique(instance.output_tokens[batch], return_counts=True)
    flops = instance.system.llm.request_flops(np.full_like(lengths, padded), lengths) @ counts
    return instance.system.compute_time_s(flops, padded, lengths, counts)


def test_a_thousand_arbitrary_requests_are_solved_with_proof():
    instance = random_instance(np.random.default_rng(5), 1000, **KINDS[-1] | {"lengths": "arbitrary"})
    schedule = solve(instance, "surrogate")
    assert schedule.optimal
    check(instance, schedule)
