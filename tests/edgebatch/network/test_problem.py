"""A network: what it refuses, what is within reach, and the checker of its schedules."""

import copy
import dataclasses
import pickle

import numpy as np
import pytest

from edgebatch import InfeasibleSchedule, InputError, Llm
from edgebatch.network import OUT_OF_REACH, Network, NetworkSchedule, check_network, solve_network
from tests.edgebatch.instances import unit_instance
from tests.edgebatch.network.random_networks import of_instances, random_network, unit_network


def _changed(**changes) -> Network:
    return dataclasses.replace(unit_network([[0.5, 0.25], [0.5, None]]), **changes)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"nodes": ()}, "nodes: found none, expected at least one node"),
        (
            {"uplink_share": [[0.5, 0.5]]},
            "uplink_share: found shape (1, 2), expected shape (2, 2), nodes and requests",
        ),
        (
            {"uplink_share": [[0.5, -0.25], [0.5, OUT_OF_REACH]]},
            "uplink_share[0, 1]: found -0.25, expected a number at least 0",
        ),
        (
            {"downlink_share": [[0, 0], [np.nan, OUT_OF_REACH]]},
            "downlink_share[1, 0]: found nan, expected a number at least 0",
        ),
        (
            {"downlink_share": [[0, 0], [0, 0]]},
            "downlink_share[1, 1]: found 0.0, "
            "expected shares of both bands that are finite, or both infinite",
        ),
        ({"weight": [1.0, -1.0]}, "weight[1]: found -1.0, expected numbers above 0"),
        ({"latency_s": [1.0]}, "latency_s: found shape (1,), expected one value for each of 2 requests"),
        ({"ids": ("a",)}, "ids: found 1 names, expected none, or 2, one a request"),
    ],
)
def test_what_is_no_network_is_refused_in_one_line(changes, line):
    with pytest.raises(InputError) as refusal:
        _changed(**changes)
    assert str(refusal.value) == line


def test_two_nodes_of_one_name_are_refused():
    node = unit_network([[0.5]]).nodes[0]
    with pytest.raises(
        InputError, match=r"^nodes\[1\]\.id: found 'n0', expected an id that no other node has$"
    ):
        _changed(nodes=(node, node))


def test_a_node_reaches_whom_its_bands_its_padding_and_its_model_can_take():
    decoder = unit_instance([1, 2, 3, 4], [1, 1, 2, 2], padding=None)
    padded = dataclasses.replace(decoder.system, fixed_padding_tokens=2)
    encoder = dataclasses.replace(
        decoder.system, llm=Llm(layers=0, encoder_layers=1, hidden_size=1, ffn_size=1)
    )
    network = of_instances([decoder] * 3, np.array([[1, 1, 1, 0]] * 3, dtype=bool))
    nodes = [
        dataclasses.replace(node, system=system)
        for node, system in zip(network.nodes, (decoder.system, padded, encoder), strict=True)
    ]
    network = dataclasses.replace(network, nodes=tuple(nodes))
    assert [reach.tolist() for reach in network.reach] == [[0, 1, 2], [0, 1], [0, 1]]
    assert network.instances[1].ids == ("r0", "r1")


def test_arrays_of_a_network_cannot_be_written_to_also_after_copies():
    network = random_network(0, 2, 5)
    for other in (network, copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        for name in ("uplink_share", "prompt_tokens", "weight"):
            assert not getattr(other, name).flags.writeable
        assert solve_network(other, "gah") == solve_network(network, "gah")


@pytest.mark.parametrize(
    ("batches", "fault"),
    [
        (((0,), (0,)), "a request is served twice"),
        (((0, 0), ()), "a request is served twice"),
        (((), (1,)), "node n1: a request out of its reach is served"),
        (((0, 1, 2), ()), "node n0: uplink: load 1.25 exceeds the budget 1.0"),
        (((3,), ()), "a request outside the 3 of the network is served"),
        (((0,),), "1 batches for 2 nodes"),
    ],
)
def test_the_checker_recomputes_every_constraint_of_every_node(batches, fault):
    network = unit_network([[0.5, 0.25, 0.5], [0.5, None, 0.5]])
    size = sum(map(len, batches))
    with pytest.raises(InfeasibleSchedule) as refusal:
        check_network(network, NetworkSchedule(batches, size, 3))
    assert str(refusal.value) == fault


@pytest.mark.parametrize(
    ("weight", "bound", "fault"),
    [(2, 5, "weight 2 is not that of its requests, 5.0"), (5, 4, "weight 5 exceeds its own bound 4")],
)
def test_the_checker_recomputes_the_weight(weight, bound, fault):
    network = unit_network([[0.5, 0.5]], weight=[2.0, 3.0])
    assert check_network(network, NetworkSchedule(((0, 1),), 5, 5))[0].uplink_share == 1.0
    with pytest.raises(InfeasibleSchedule) as refusal:
        check_network(network, NetworkSchedule(((0, 1),), weight, bound))
    assert str(refusal.value) == fault
