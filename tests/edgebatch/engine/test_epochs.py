"""Epochs in real time, on a clock that is turned and a node that takes the time that it is told to."""

import dataclasses
import functools
import itertools

import numpy as np
import pytest

from edgebatch import schedulers
from edgebatch.engine.epochs import run_epochs, with_margin
from edgebatch.model.roofline import Roofline
from edgebatch.simulation import simulate
from tests.edgebatch.test_simulation import EPOCHS, NOMINAL, REQUESTS


class TurnedClock:
    def __init__(self):
        self.moment = 0.0

    def now(self):
        return self.moment

    def sleep_until(self, moment):
        self.moment = max(self.moment, moment)


class PredictedNode:
    """Takes `factor` times as long as the cost model says."""

    def __init__(self, system, requests, clock, factor, batches):
        self.batches = batches
        self.system, self.requests, self.clock, self.factor = system, requests, clock, factor
        self.ran = []

    def run(self, groups):
        ends = [self.batch(group) for group in groups] if self.batches else [self.queue(g) for g in groups]
        self.clock.sleep_until(self.clock.now() + max((of[-1] for of in ends if of), default=0.0))
        return ends

    def batch(self, requests):
        if not requests:
            return []
        self.ran.append(tuple(requests))
        padded = self.requests.prompt_tokens[requests].max()
        outputs, counts = np.unique(self.requests.output_tokens[requests], return_counts=True)
        return [self.factor * self.system.batch_time_s(int(padded), outputs, counts)] * len(requests)

    def queue(self, requests):
        self.ran += [(i,) for i in requests]
        lengths = self.requests.prompt_tokens[requests], self.requests.output_tokens[requests]
        return np.cumsum(self.system.one_device_s(*lengths)).tolist()


# blind NoB runs what is late beyond the slot, which delays the next epoch, while the simulation keeps time
SCHEDULERS = {
    "dftsp": schedulers.get("dftsp"),
    "static_batching": schedulers.get("static_batching"),
    "no_batching": functools.partial(schedulers.get("no_batching"), admission="deadline_aware"),
}


def _served(system, scheduler):
    epochs = simulate(system, REQUESTS, EPOCHS, SCHEDULERS[scheduler], (512, 512))
    return [tuple(epoch.requests[list(epoch.schedule.selected)].tolist()) for epoch in epochs]


def _run(scheduler, margin=0.0, factor=1.0):
    clock = TurnedClock()
    node = PredictedNode(NOMINAL, REQUESTS, clock, factor, scheduler != "no_batching")
    runs, answered_s = run_epochs(node, NOMINAL, margin, REQUESTS, EPOCHS, SCHEDULERS[scheduler], clock)
    return node, runs, answered_s


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_on_a_node_that_is_as_fast_as_predicted_a_replay_is_the_simulation(scheduler):
    _, runs, answered_s = _run(scheduler)
    assert [run.requests for run in runs] == _served(NOMINAL, scheduler)
    served = [request for run in runs for request in run.requests]
    assert served
    assert (answered_s[served] <= (REQUESTS.arrival_s + REQUESTS.latency_s)[served] + 1e-9).all()


def test_a_slow_node_answers_late_and_delays_the_next_epoch():
    _, runs, answered_s = _run("dftsp", factor=3.0)
    busy = [run for run in runs if run.requests]
    assert all(run.measured_s == pytest.approx(3 * run.predicted_s) for run in busy)
    late = answered_s > REQUESTS.arrival_s + REQUESTS.latency_s
    assert late.any()
    slots = NOMINAL.slots
    for before, after in itertools.pairwise(runs):
        ended_s = before.start_s + slots.uplink_s + before.measured_s + slots.downlink_s
        assert after.start_s >= ended_s - 1e-9


@pytest.mark.parametrize("margin", [0.1, 0.3])
def test_a_margin_leaves_its_share_of_the_time_of_every_batch(margin):
    _, runs, _ = _run("dftsp", margin)
    busy = [run for run in runs if run.requests]
    assert busy
    assert all(run.predicted_s <= (1 - margin) * run.deadline_s * (1 + 1e-9) for run in busy)


def test_a_margin_multiplies_every_compute_time():
    for cost in ("flops", Roofline(1e10, step_s=1e-3, layer_s=1e-4)):
        system = dataclasses.replace(NOMINAL, cost=cost)
        outputs, counts = np.array([10, 300]), np.array([2, 3])
        slower = with_margin(system, 0.2).batch_time_s(200, outputs, counts)
        assert slower == pytest.approx(system.batch_time_s(200, outputs, counts) / 0.8)


def test_nobody_is_served_twice():
    for scheduler in ("dftsp", "no_batching"):
        node, _, _ = _run(scheduler, factor=2.0)
        ran = [request for batch in node.ran for request in batch]
        assert len(ran) == len(set(ran)) > 0
