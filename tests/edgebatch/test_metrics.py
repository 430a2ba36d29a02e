"""What a run is measured by."""

import dataclasses

import numpy as np
import pytest

from edgebatch import Schedule, check, schedulers
from edgebatch.metrics import METRICS, draw, measure, replicate
from edgebatch.model.workload import Requests
from edgebatch.setting import SchedulerChoice, Setting, Simulation
from edgebatch.simulation import Epoch
from tests.edgebatch.instances import unit_instance
from tests.edgebatch.model.test_radio import a_radio
from tests.edgebatch.model.test_workload import a_workload


@pytest.fixture
def measured():
    """Three epochs of 100.5 s: two of three requests, proven; one of three, bounded by 3; nobody of none."""
    schedules = (
        Schedule((0, 1), upper_bound=2, nodes_visited=5),
        Schedule((0,), missed=(1,), upper_bound=3, nodes_visited=1, node_limit_reached=True),
        Schedule((), upper_bound=0),
    )
    instances = [unit_instance([1] * number, uplink=0.25) for number in (3, 3, 0)]
    epochs = [Epoch(x, s, check(x, s), np.arange(x.size)) for x, s in zip(instances, schedules, strict=True)]
    arrived = unit_instance([1] * 9)
    requests = Requests(
        arrival_s=arrived.waited_s,
        prompt_tokens=arrived.prompt_tokens,
        output_tokens=arrived.output_tokens,
        latency_s=arrived.latency_s,
        accuracy=arrived.accuracy,
        uplink_share=arrived.uplink_share[:, None],
        downlink_share=arrived.downlink_share[:, None],
    )
    return measure(instances[0].system, requests, epochs)


def test_a_run_measures_what_it_says(measured):
    assert tuple(measured) == METRICS


def test_bounds_and_proofs_are_means_over_epochs(measured):
    assert measured["upper_bound"] == pytest.approx(5 / 3)
    assert measured["proven"] == pytest.approx(2 / 3)
    assert measured["batch_size"] == 1
    assert measured["nodes"] == 2
    assert measured["cut_off"] == pytest.approx(1 / 3)
    assert measured["candidates"] == 2


def test_rates_are_per_second_of_all_epochs(measured):
    assert measured["throughput_per_s"] == pytest.approx(3 / 301.5)
    assert measured["missed_per_s"] == pytest.approx(1 / 301.5)
    assert measured["offered_per_s"] == pytest.approx(9 / 301.5)


def test_loads_are_means_over_the_epochs_that_serve_somebody(measured):
    # two requests run in each of them
    assert measured["uplink_load"] == pytest.approx(0.5)


@pytest.fixture
def setting():
    """A setting of three epochs of 2 s, in which each request has one token of prompt and of output."""
    choice = SchedulerChoice("no_batching", schedulers.options("no_batching"))
    system = unit_instance([1], compute_s=1.5).system
    workload = a_workload(prompt_tokens=(1,), output_tokens=(1,))
    return Setting(system, a_radio(), workload, choice, Simulation(epochs=3, seeds=2))


def test_a_replicate_measures_the_requests_that_are_drawn(setting):
    requests = draw(setting, 3, seed=0)
    measured = replicate(setting, requests, 3, setting.scheduler.function())
    assert tuple(measured) == METRICS
    assert measured["offered_per_s"] == pytest.approx(requests.arrival_s.size / 6)
    assert 0 < measured["throughput_per_s"] <= measured["offered_per_s"]


def test_the_seed_alone_decides_what_is_drawn(setting):
    first, again, other = (draw(setting, 3, seed).arrival_s.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_a_scheduler_is_told_the_longest_lengths_of_its_workload(setting):
    lengths = tuple(range(1, 9))
    workload = a_workload(arrival_rate=1.0, prompt_tokens=lengths, output_tokens=lengths)
    rare = dataclasses.replace(setting, workload=workload)
    seen, drawn = set(), set()

    def watch(instance):
        seen.add((instance.longest_prompt_tokens, instance.longest_output_tokens))
        drawn.add(max(instance.prompt_tokens, default=0))
        return Schedule((), upper_bound=instance.size)

    replicate(rare, draw(rare, 3, seed=0), 3, watch)
    assert min(drawn) < 8
    assert seen == {(8, 8)}
