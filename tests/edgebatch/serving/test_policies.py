"""What every policy of continuous batching keeps, and what admission promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import InputError
from edgebatch.model.trace import Trace
from edgebatch.serving import Limits
from edgebatch.serving.policies import get, names
from edgebatch.serving.replay import replay
from tests.edgebatch.instances import steady
from tests.edgebatch.serving.test_continuous import _system


@st.composite
def traces(draw):
    """A node, limits, and requests that are more than it can serve in time."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    number = draw(st.integers(1, 25))
    prompts, outputs = rng.integers(1, 60, number), rng.integers(1, 30, number)
    system = _system(bandwidth=10 ** rng.uniform(7.5, 9.5), step_s=float(rng.uniform(0, 1e-3)))
    arrival_s = np.sort(rng.uniform(0, rng.choice([0.0, 0.02, 0.5]), number))
    latency_s = system.alone_s(prompts, outputs) * rng.uniform(0.5, 8, number)
    limits = Limits(
        max_sequences=int(rng.choice([1, 4, 100])),
        max_step_tokens=int(rng.choice([30, 1000])),
        kv_capacity_tokens=int(rng.choice([90, 300, 10_000])),
    )
    return system, Trace(arrival_s, prompts, outputs, latency_s), limits


@pytest.mark.parametrize("policy", names())
@steady
@given(case=traces())
def test_every_request_is_answered_whole_or_turned_away(policy, case):
    system, trace, limits = case
    outcome = replay(system, trace, policy, limits)
    away = outcome.service.turned_away
    timeline = outcome.timeline
    assert np.array_equal(np.isnan(timeline.first_token_s), away)
    alone_s = system.alone_s(trace.prompt_tokens, trace.output_tokens)
    taken_s = timeline.last_token_s - trace.arrival_s
    assert (taken_s[~away] >= alone_s[~away] * (1 - 1e-9)).all()
    assert (timeline.first_token_s[~away] <= timeline.last_token_s[~away]).all()
    if get(policy).admit is None:
        assert np.array_equal(away, trace.prompt_tokens + trace.output_tokens - 1 > limits.kv_capacity_tokens)


@pytest.mark.parametrize("policy", names())
@steady
@given(case=traces())
def test_the_same_trace_gets_the_same_times(policy, case):
    first, second = (replay(*case[:2], policy, case[2]).timeline for _ in range(2))
    assert first.last_token_s.tobytes() == second.last_token_s.tobytes()


@steady
@given(case=traces())
def test_exact_admission_keeps_its_promise_to_everybody_it_lets_in(case):
    system, trace, limits = case
    outcome = replay(system, trace, "exact_admission", limits)
    answered = ~outcome.service.turned_away
    assert outcome.service.in_time[answered].all()
    assert outcome.timeline.preemptions.sum() == 0


@pytest.mark.parametrize("policy", names())
def test_without_requirements_everybody_is_answered(policy):
    rng = np.random.default_rng(5)
    trace = Trace(np.sort(rng.uniform(0, 0.1, 20)), rng.integers(1, 60, 20), rng.integers(1, 30, 20))
    outcome = replay(_system(), trace, policy, Limits(8, 64, 400))
    assert not outcome.service.turned_away.any()
    assert outcome.summary()["attainment"] == 1


def test_admission_serves_more_than_first_come_first_served_when_requests_are_too_many():
    rng = np.random.default_rng(6)
    prompts, outputs = rng.integers(1, 60, 300), rng.integers(1, 30, 300)
    system = _system()
    latency_s = 3 * system.alone_s(prompts, outputs)
    trace = Trace(np.sort(rng.uniform(0, 0.2, 300)), prompts, outputs, latency_s)
    served = {
        name: replay(system, trace, name, Limits(50, 64, 2000)).service.in_time.sum() for name in names()
    }
    assert served["exact_admission"] > 1.3 * max(served["fcfs"], 1)


def test_an_unknown_policy_of_a_replay_is_refused():
    with pytest.raises(InputError, match=r"^policy: found 'lifo', expected one of"):
        replay(_system(), Trace(np.zeros(1), np.ones(1, int), np.ones(1, int)), "lifo", Limits(1, 1, 10))
