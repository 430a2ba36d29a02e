"""Prices of a batch, step by step, against the cost model; its linear bounds against its exact cost."""

import dataclasses

import numba
import numpy as np
import pytest

from edgebatch.search import batch_cost
from edgebatch.search.batch_cost import candidates_of
from tests.edgebatch.instances import sample, under_roofline


@numba.njit
def duration_s(candidates, batch, padded):
    return batch_cost.duration(candidates, batch, batch.size, padded)


@numba.njit
def bound_s(candidates, live, batch, padded, least_padded, least_rank, fewest, most):
    """Linear lower bound, exact at `live`, on the compute time of a batch at the least corner given."""
    last = candidates.lengths.size
    waits, first, table = np.empty(last + 1), np.empty(3), np.empty((3, last))
    batch_cost.count_waits(candidates, live[:last], live[last], least_padded, waits)
    batch_cost.linear_time(candidates, waits, fewest, most, least_padded, first, table)
    total = table[2, least_rank]
    for i in batch:
        r = candidates.rank[batch[-1]] if candidates.prices.batch_max else candidates.rank[i]
        total += first[0] * padded + first[1] * padded**2 + first[2] + table[0, r] + table[1, r] * padded
    return total


def systems(count, experts):
    for number, instance in enumerate(sample(count, 12)):
        instance = under_roofline(instance, (0.5, 2.0, 8.0)[number % 3])
        system = instance.system
        cost = dataclasses.replace(system.cost, decode_flops_share=0.5, step_s=1e-4, layer_s=1e-5)
        llm = dataclasses.replace(system.llm, **({"experts": 8, "active_experts": 2} if experts else {}))
        billing = ("own", "batch_max")[number % 2]
        system = dataclasses.replace(system, llm=llm, cost=cost, output_billing=billing)
        rng = np.random.default_rng(number)
        yield dataclasses.replace(instance, system=system), rng


def live_requests(candidates, batch):
    """Requests live up to each length, and last those of the first stage."""
    outputs = candidates.value[1, batch]
    if candidates.prices.batch_max:
        outputs = np.full_like(outputs, outputs.max())
    return np.append((outputs[:, None] >= candidates.lengths).sum(axis=0), batch.size).astype(float)


@pytest.mark.parametrize("experts", [False, True])
def test_the_duration_of_a_batch_is_that_of_the_cost_model(experts):
    for instance, rng in systems(60, experts):
        order, candidates = candidates_of(instance, np.arange(instance.size))
        batch = np.sort(rng.choice(instance.size, int(rng.integers(1, 12)), replace=False))
        lengths, counts = np.unique(instance.output_tokens[order[batch]], return_counts=True)
        padded = float(candidates.value[0, batch].max())
        expected = instance.system.batch_time_s(int(padded), lengths, counts)
        assert duration_s(candidates, batch, padded) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("experts", [False, True])
def test_a_linear_bound_is_never_above_the_duration_and_touches_it_where_it_was_made(experts):
    for instance, rng in systems(60, experts):
        _, candidates = candidates_of(instance, np.arange(instance.size))
        at = np.sort(rng.choice(instance.size, int(rng.integers(1, 12)), replace=False))
        live, padded = live_requests(candidates, at), float(candidates.value[0, at].max())
        exact = bound_s(candidates, live, at, padded, padded, candidates.rank[at[-1]], live, live)
        assert exact == pytest.approx(duration_s(candidates, at, padded), rel=1e-12)
        for _ in range(10):
            batch = np.sort(rng.choice(instance.size, int(rng.integers(1, 12)), replace=False))
            padded = float(candidates.value[0, batch].max())
            least = float(rng.uniform(1, padded)), int(rng.integers(0, candidates.rank[batch[-1]] + 1))
            fewest = np.where(candidates.prices.batch_max, batch.size, 1) * np.ones(live.size)
            fewest[-1] = batch.size
            most = np.full(live.size, 12.0)
            bound = bound_s(candidates, live, batch, padded, *least, fewest, most)
            assert bound <= duration_s(candidates, batch, padded) * (1 + 1e-12)
