"""Epochs of several nodes: who is served where, nobody twice, and what happens when nodes fail."""

import dataclasses
import functools

import numpy as np
import pytest

from edgebatch.errors import InputError
from edgebatch.metrics import METRICS
from edgebatch.model.radio import MacroCell
from edgebatch.network import solve_network
from edgebatch.network.drop import Cells, draw_drop
from edgebatch.network.measures import measure_network
from edgebatch.network.problem import Node
from edgebatch.network.simulation import Drop, simulate_network
from edgebatch.schedulers import get
from edgebatch.simulation import simulate
from tests.edgebatch.model.test_radio import a_radio
from tests.edgebatch.model.test_workload import a_workload
from tests.edgebatch.test_simulation import EPOCHS, NOMINAL, REQUESTS

GAH = functools.partial(solve_network, method="gah")
RADIO = dataclasses.replace(a_radio(), mean_gain=None, macro_cell=MacroCell(128.1, 37.6, 250, 35, 8))


def _drop(nodes, works=None):
    """The requests of the simulation of one node, all of them within reach of every node."""
    shares = (np.stack([of] * nodes) for of in (REQUESTS.uplink_share, REQUESTS.downlink_share))
    return Drop(REQUESTS, *shares, np.ones((EPOCHS, nodes), bool) if works is None else np.array(works))


def _nodes(number):
    return tuple(Node(f"n{place}", NOMINAL) for place in range(number))


def _served(epochs):
    return [[at.requests.tolist() for at in epoch.nodes] for epoch in epochs]


def test_one_node_serves_what_the_simulation_of_one_node_serves():
    alone = simulate(NOMINAL, REQUESTS, EPOCHS, get("surrogate"))
    together = simulate_network(_nodes(1), _drop(1), GAH)
    assert [of[0] for of in _served(together)] == [
        epoch.requests[list(epoch.schedule.selected)].tolist() for epoch in alone
    ]


@pytest.mark.parametrize("method", ["gah", "joint", "best_channel", "least_loaded"])
def test_nobody_is_served_twice_whatever_nodes_fail(method):
    works = np.random.default_rng(3).random((EPOCHS, 3)) > 0.3
    epochs = _served(
        simulate_network(_nodes(3), _drop(3, works), functools.partial(solve_network, method=method))
    )
    served = [request for epoch in epochs for batch in epoch for request in batch]
    assert served
    assert len(served) == len(set(served))
    assert not [
        batch
        for at, epoch in zip(works, epochs, strict=True)
        for on, batch in zip(at, epoch, strict=True)
        if batch and not on
    ]


def test_candidates_of_a_node_that_fails_go_to_the_other():
    works = np.zeros((EPOCHS, 2), bool)
    works[:, 1] = True
    failing = _served(simulate_network(_nodes(2), _drop(2, works), GAH))
    alone = _served(simulate_network(_nodes(1), _drop(1), GAH))
    assert failing == [[[], batch] for (batch,) in alone]


def test_a_node_that_works_again_serves_those_who_waited():
    works = np.ones((EPOCHS, 1), bool)
    works[0] = False
    patient = dataclasses.replace(REQUESTS, latency_s=REQUESTS.latency_s + 2 * NOMINAL.slots.epoch_s)
    drop = dataclasses.replace(_drop(1, works), requests=patient)
    first, second, *_ = _served(simulate_network(_nodes(1), drop, GAH))
    arrived = set(np.flatnonzero(REQUESTS.arrival_s < NOMINAL.slots.epoch_s).tolist())
    assert first == [[]]
    assert arrived & set(second[0])


def test_two_nodes_serve_at_least_what_one_serves():
    one, two = (
        sum(epoch.schedule.size for epoch in simulate_network(_nodes(n), _drop(n), GAH)) for n in (1, 2)
    )
    assert two >= one


def test_all_requests_are_drawn_and_the_measures_are_those_of_a_run():
    cells = Cells(nodes=3, distance_m=350, failure_share=0.2, proves=False, kinds=())
    nodes = cells.of(NOMINAL)
    drop = draw_drop(cells, NOMINAL, a_workload(), RADIO, EPOCHS, seed=5)
    assert drop.uplink_share.shape[:2] == (3, drop.requests.arrival_s.size)
    again = draw_drop(cells, NOMINAL, a_workload(), RADIO, EPOCHS, seed=5)
    assert np.array_equal(drop.uplink_share, again.uplink_share)
    assert np.array_equal(drop.works, again.works)
    epochs = list(simulate_network(nodes, drop, GAH))
    found = measure_network(nodes, drop.requests, epochs)
    assert set(found) <= set(METRICS)
    served = sum(epoch.schedule.size for epoch in epochs)
    horizon_s = EPOCHS * NOMINAL.slots.epoch_s
    assert served > 0
    assert found["goodput_per_s"] == pytest.approx(served / horizon_s)
    assert found["throughput_per_s"] == pytest.approx(served / horizon_s)


def test_failures_come_in_about_their_share_of_the_epochs():
    cells = Cells(nodes=20, distance_m=350, failure_share=0.3, proves=False, kinds=())
    works = draw_drop(cells, NOMINAL, a_workload(), RADIO, 200, seed=1).works
    assert np.mean(~works) == pytest.approx(0.3, abs=0.03)


def test_users_without_a_place_are_refused():
    with pytest.raises(InputError, match="macro_cell"):
        draw_drop(Cells(2, 350, 0, False, ()), NOMINAL, a_workload(), a_radio(), 2, seed=0)
