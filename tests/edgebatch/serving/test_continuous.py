"""Continuous batching against an oracle that takes every step, and against the epoch's batch time."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import EdgeNode, InputError, Llm, Quantization, Roofline, Slots, System
from edgebatch.serving import Limits, simulate_continuous
from edgebatch.serving.limits import cache_tokens
from edgebatch.serving.policies import get, names
from tests.edgebatch.instances import steady
from tests.edgebatch.serving.oracle import same, serve
from tests.edgebatch.techniques import TECHNIQUES, busy

SHAPES = {
    "grouped": {"query_heads": 8, "kv_heads": 2, "head_size": 10, "ffn_matrices": 3, "vocabulary": 500},
    "experts": {"query_heads": 4, "kv_heads": 4, "experts": 6, "active_experts": 2},
}
WIDE = Limits(max_sequences=10**6, max_step_tokens=10**6, kv_capacity_tokens=10**6)


def _system(shape="grouped", bandwidth=1e9, **constants):
    llm = Llm(layers=2, hidden_size=64, ffn_size=120, **SHAPES[shape])
    quantization = Quantization(weight_bits=8, kv_bits=16, compute_factor=0.7, accuracy=1.0)
    cost = Roofline(bandwidth, **constants)
    return System(Slots(0.25, 1e9, 0.25), llm, quantization, EdgeNode(2e9, 1e9, 1), cost=cost)


@st.composite
def cases(draw):
    """A node, requests that compete for it, and limits of which any may bind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    shares = rng.uniform(0.4, 1, 4)
    constants = dict(
        zip(
            ("prefill_flops_share", "decode_flops_share", "attention_share", "bandwidth_share"),
            shares,
            strict=True,
        )
    )
    system = _system(
        draw(st.sampled_from(sorted(SHAPES))),
        10 ** rng.uniform(7.5, 9.5),
        **{name: float(share) for name, share in constants.items()},
        step_s=float(rng.uniform(0, 1e-3)),
    )
    number = draw(st.integers(1, 14))
    prompts, outputs = rng.integers(1, 60, number), rng.integers(1, 30, number)
    arrival_s = np.sort(rng.uniform(0, rng.choice([0.0, 0.02, 0.5]), number))
    limits = Limits(
        max_sequences=int(rng.choice([1, 3, 100])),
        max_step_tokens=int(rng.choice([4, 30, 1000])),
        kv_capacity_tokens=int(rng.choice([70, 150, 10_000])),
    )
    return system, arrival_s, prompts, outputs, limits


@steady
@given(cases(), st.sampled_from(names()))
def test_jumps_over_steps_change_nothing(case, policy):
    _assert_jumps_change_nothing(*case, policy)


@steady
@given(cases(), st.sampled_from(TECHNIQUES), st.integers(0, 2**32))
def test_jumps_over_steps_change_nothing_on_a_node_with_techniques(case, technique, seed):
    system, *requests = case
    system = busy(system, np.random.default_rng(seed), technique, steps=1000)
    _assert_jumps_change_nothing(system, *requests, "fcfs")


def _assert_jumps_change_nothing(system, arrival_s, prompts, outputs, limits, policy):
    priority = get(policy).priority(arrival_s, outputs, np.full(arrival_s.size, 2.0))
    timeline = simulate_continuous(system, arrival_s, prompts, outputs, priority, limits)
    lists = (values.tolist() for values in (arrival_s, prompts, outputs, priority))
    first, last, made, preempted = serve(system, *lists, limits)
    assert same(timeline.first_token_s, first)
    assert same(timeline.last_token_s, last)
    assert timeline.preemptions.tolist() == preempted
    # no token is lost or made twice
    assert [n for n, end in zip(made, last, strict=True) if end is not None] == [
        n for n, away in zip(outputs.tolist(), timeline.turned_away(), strict=True) if not away
    ]


def test_the_random_cases_preempt_turn_away_and_cut_prompts_somewhere():
    rng, preempted, away = np.random.default_rng(0), 0, 0
    for _ in range(30):
        prompts, outputs = rng.integers(1, 60, 12), rng.integers(1, 30, 12)
        limits = Limits(max_sequences=100, max_step_tokens=30, kv_capacity_tokens=75)
        timeline = simulate_continuous(_system(), np.zeros(12), prompts, outputs, np.arange(12.0), limits)
        preempted += int(timeline.preemptions.sum())
        away += int(timeline.turned_away().sum())
    assert preempted > 10
    assert away > 10


@pytest.mark.parametrize("shape", SHAPES)
def test_a_request_alone_takes_what_the_cost_model_says(shape):
    system, prompt, output = _system(shape, step_s=1e-3), np.array([50]), np.array([20])
    timeline = simulate_continuous(system, np.array([3.0]), prompt, output, np.zeros(1), WIDE)
    assert timeline.last_token_s - 3.0 == pytest.approx(system.alone_s(prompt, output))
    assert timeline.first_token_s - 3.0 == pytest.approx(system.alone_s(prompt, np.array([1])))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("bandwidth", [1e8, 1e9, 1e11])
def test_one_batch_that_starts_together_takes_as_long_as_that_of_an_epoch(shape, bandwidth):
    system = _system(shape, bandwidth, layer_s=1e-4)
    outputs = np.array([3, 7, 7, 20])
    timeline = simulate_continuous(system, np.zeros(4), np.full(4, 40), outputs, np.zeros(4), WIDE)
    lengths, counts = np.unique(outputs, return_counts=True)
    assert timeline.last_token_s.max() == pytest.approx(system.batch_time_s(40, lengths, counts))


def test_with_one_request_at_a_time_each_takes_as_long_as_alone():
    rng = np.random.default_rng(3)
    prompts, outputs, arrival_s = (
        rng.integers(1, 60, 9),
        rng.integers(1, 30, 9),
        np.sort(rng.uniform(0, 0.1, 9)),
    )
    system = _system()
    limits = dataclasses.replace(WIDE, max_sequences=1)
    timeline = simulate_continuous(system, arrival_s, prompts, outputs, arrival_s, limits)
    free_s, expected = 0.0, []
    for begin_s, alone_s in zip(arrival_s, system.alone_s(prompts, outputs), strict=True):
        free_s = max(free_s, begin_s) + alone_s
        expected.append(free_s)
    assert timeline.last_token_s == pytest.approx(expected)


def test_shortest_output_first_answers_short_requests_before_long_ones():
    outputs = np.array([30, 20, 10])
    priority = get("shortest").priority(np.zeros(3), outputs, np.ones(3))
    limits = dataclasses.replace(WIDE, max_sequences=1)
    timeline = simulate_continuous(_system(), np.zeros(3), np.full(3, 5), outputs, priority, limits)
    assert np.argsort(timeline.last_token_s).tolist() == [2, 1, 0]


def test_earliest_deadline_first_serves_the_most_urgent_first():
    latency_s = np.array([3.0, 1.0, 2.0])
    priority = get("edf").priority(np.zeros(3), np.full(3, 5), latency_s)
    limits = dataclasses.replace(WIDE, max_sequences=1)
    timeline = simulate_continuous(_system(), np.zeros(3), np.full(3, 5), np.full(3, 5), priority, limits)
    assert np.argsort(timeline.last_token_s).tolist() == [1, 2, 0]


def test_the_cache_holds_what_the_weights_leave():
    system = _system()
    tokens = cache_tokens(system)
    memory = system.edge_node.memory_bytes
    assert system.weight_bytes + system.kv_bytes(0, tokens) <= memory
    assert system.weight_bytes + system.kv_bytes(0, tokens + 1) > memory


def test_an_encoder_is_refused_because_prompts_are_taken_in_chunks():
    llm = Llm(layers=1, hidden_size=8, ffn_size=8, encoder_layers=1)
    system = dataclasses.replace(_system(), llm=llm)
    one = np.ones(1, dtype=int)
    with pytest.raises(
        InputError, match=r"^llm.encoder_layers: found 1, expected 0: prompts are taken in chunks"
    ):
        simulate_continuous(system, np.zeros(1), one, one, np.zeros(1), WIDE)


def test_an_unknown_policy_is_refused_with_the_nearest_that_exists():
    with pytest.raises(
        InputError, match=r"^policy: found 'fcsf', expected one of .* \(did you mean fcfs\?\)"
    ):
        get("fcsf")
