"""Models of today under a calibrated roofline and both billings: every part of the package agrees on prices.

The judge is `tests.edgebatch.oracle`, which counts each matrix and each step.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import EdgeNode, InputError, Instance, Llm, Schedule, check, solve
from edgebatch.errors import InfeasibleSchedule
from edgebatch.model.roofline import Roofline
from edgebatch.search.tree.cost import batch_cost
from edgebatch.search.tree.price import compute_time_s, memory_bytes
from tests.edgebatch.instances import BILLINGS, MODELS_OF_TODAY, of_today, random_instance, steady
from tests.edgebatch.oracle import Shape, batch_time_s, judge, optimum

KIND = {"padding": "batch_max", "fading": "separate", "ties": False}
REGIMES = ("paper", "bandwidth_bound", "memory_bound", "balanced")


@st.composite
def batches(draw):
    """An instance, and a batch of it: indices."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = KIND | {"regime": draw(st.sampled_from(REGIMES)), "lengths": "arbitrary"}
    plain = random_instance(rng, 9, **kind)
    instance = of_today(plain, rng, draw(st.sampled_from(MODELS_OF_TODAY)), draw(st.sampled_from(BILLINGS)))
    return instance, np.flatnonzero(rng.integers(0, 2, 9) | np.eye(9, dtype=int)[rng.integers(9)])


def _billed(instance, batch):
    outputs = instance.output_tokens[batch].tolist()
    longest = instance.system.output_billing == "batch_max"
    return tuple([max(outputs)] * len(outputs) if longest else outputs)


@steady
@given(batches())
def test_the_search_and_the_plain_function_take_as_long_as_all_steps_together(case):
    instance, batch = case
    system, padded = instance.system, int(instance.prompt_tokens[batch].max())
    lengths, counts = np.unique(instance.output_tokens[batch], return_counts=True)
    expected = batch_time_s(system)(padded, _billed(instance, batch))
    assert system.batch_time_s(padded, lengths, counts) == pytest.approx(expected, rel=1e-12)
    assert compute_time_s(batch_cost(system, padded, lengths), counts) == pytest.approx(expected, rel=1e-12)


@steady
@given(batches())
def test_memory_holds_all_weights_and_the_billed_cache(case):
    instance, batch = case
    system, padded, shape = (
        instance.system,
        int(instance.prompt_tokens[batch].max()),
        Shape(instance.system.llm),
    )
    lengths, counts = np.unique(instance.output_tokens[batch], return_counts=True)
    tokens = sum(padded + n for n in _billed(instance, batch))
    quantization = system.quantization
    cache = quantization.kv_bits / 8 * 2 * system.llm.layers * shape.keys * tokens
    expected = quantization.weight_bits / 8 * shape.weights() + cache
    assert memory_bytes(batch_cost(system, padded, lengths), counts) == pytest.approx(expected, rel=1e-12)


@steady
@given(batches())
def test_the_checker_accepts_a_batch_exactly_if_the_oracle_does(case):
    instance, batch = case
    schedule = Schedule(tuple(batch.tolist()), upper_bound=9)
    try:
        accepted = check(instance, schedule).compute_time_s > 0
    except InfeasibleSchedule:
        accepted = False
    assert accepted == judge(instance)(tuple(batch.tolist()))


@steady
@given(batches())
def test_one_more_request_never_costs_less(case):
    instance, batch = case
    system = instance.system
    lengths, place = np.unique(instance.output_tokens, return_inverse=True)
    cost = batch_cost(system, int(instance.prompt_tokens.max()), lengths)
    counts = np.bincount(place[batch], minlength=lengths.size)
    for more in np.eye(lengths.size, dtype=counts.dtype):
        assert compute_time_s(cost, counts + more) >= compute_time_s(cost, counts)
        assert memory_bytes(cost, counts + more) > memory_bytes(cost, counts)


@pytest.mark.parametrize("billing", BILLINGS)
@pytest.mark.parametrize("model", MODELS_OF_TODAY)
@pytest.mark.parametrize("scheduler", ["dftsp", "enumeration", "surrogate"])
def test_exact_schedulers_find_the_optimum(scheduler, model, billing):
    sizes = set()
    for seed, regime in enumerate(4 * REGIMES):
        rng = np.random.default_rng([seed, 12])
        lengths = "arbitrary" if seed % 2 else "trace"
        plain = random_instance(rng, 8, regime=regime, **KIND | {"lengths": lengths})
        instance = of_today(plain, rng, model, billing)
        schedule = solve(instance, scheduler)
        check(instance, schedule)
        assert schedule.optimal
        assert schedule.size == optimum(instance)
        sizes.add(schedule.size)
    assert len(sizes) > 2


@pytest.mark.parametrize("scheduler", ["milp", "cp_sat", "linear_relaxation", "dftsp", "enumeration"])
def test_linear_solvers_know_billing_by_the_longest_output(scheduler):
    for seed, regime in enumerate(4 * REGIMES):
        plain = random_instance(np.random.default_rng(seed), 9, regime=regime, **KIND | {"lengths": "grid"})
        system = dataclasses.replace(plain.system, output_billing="batch_max")
        instance = dataclasses.replace(plain, system=system)
        schedule = solve(instance, scheduler)
        assert schedule.upper_bound >= optimum(instance) >= schedule.size
        assert scheduler == "linear_relaxation" or schedule.size == optimum(instance)


def test_billing_by_the_longest_output_serves_fewer_somewhere():
    sizes = {"own": 0, "batch_max": 0}
    for seed in range(20):
        plain = random_instance(np.random.default_rng(seed), 12, "memory_bound", lengths="grid", **KIND)
        for billing in BILLINGS:
            system = dataclasses.replace(plain.system, output_billing=billing)
            sizes[billing] += solve(dataclasses.replace(plain, system=system)).size
    assert 0 < sizes["batch_max"] < sizes["own"]


def test_devices_by_themselves_reach_their_own_speed_and_have_all_overheads():
    plain = random_instance(np.random.default_rng(0), 9, "paper", lengths="grid", **KIND).system
    node = EdgeNode(4 * plain.edge_node.flops, plain.edge_node.memory_bytes, devices=4)
    pooled = Roofline(4e9, pooled_share=0.5, step_s=0.01, layer_s=0.001)
    system = dataclasses.replace(plain, edge_node=node, cost=pooled)
    alone = dataclasses.replace(
        plain,
        edge_node=dataclasses.replace(node, flops=node.flops / 4, devices=1),
        cost=dataclasses.replace(pooled, memory_bandwidth_bytes_per_s=1e9, pooled_share=1.0),
    )
    lengths = np.array([100]), np.array([50])
    assert system.one_device_s(*lengths) == pytest.approx(alone.alone_s(*lengths))


def test_a_model_without_decoder_refuses_requests_for_more_than_one_token():
    plain = random_instance(np.random.default_rng(0), 9, "paper", lengths="grid", **KIND)
    encoder = dataclasses.replace(plain.system, llm=Llm(0, 64, 256, encoder_layers=2))
    with pytest.raises(InputError, match=r"output_tokens: found \d+, expected 1: the model has no decoder"):
        dataclasses.replace(plain, system=encoder)
    short = {"output_tokens": np.ones(9, dtype=int), "longest_output_tokens": 0}
    served = dataclasses.replace(plain, system=encoder, **short)
    assert isinstance(served, Instance)
    assert solve(served).size == solve(served, "enumeration").size == optimum(served)
