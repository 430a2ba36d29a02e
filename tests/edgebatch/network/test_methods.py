"""Methods for several nodes: against the optimum by trying all, against each other, and against one node."""

import itertools

import numpy as np
import pytest

from edgebatch import EdgeNode, InfeasibleSchedule, InputError, Llm, Quantization, Slots, System, solve
from edgebatch.network import Network, NetworkSchedule, Node, check_network, methods, solve_network
from tests.edgebatch.network.networks import best_weight, small_networks

SMALL = [*small_networks(24, 2, 6), *small_networks(24, 2, 6, weighted=True), *small_networks(8, 3, 5)]
BEST = [best_weight(network) for network in SMALL]
TOLERANCE = 1 + 1e-9


def _is_linear(network):
    return all(node.system.arithmetic_alone and not node.system.bills_longest for node in network.nodes)


def test_the_small_networks_are_of_many_kinds():
    assert len(SMALL) > 30
    assert sum(map(_is_linear, SMALL)) > 8
    assert len({best for best in BEST if best > 0}) > 5


@pytest.mark.parametrize("method", methods.names())
def test_no_method_breaks_a_constraint_exceeds_the_optimum_or_proves_what_is_not_so(method):
    for network, best in zip(SMALL, BEST, strict=True):
        if method == "joint_milp" and not _is_linear(network):
            continue
        found = solve_network(network, method)
        check_network(network, found)
        assert found.weight <= best * TOLERANCE
        assert found.upper_bound * TOLERANCE >= best


def test_gah_serves_at_least_half_of_the_optimum_in_every_order_of_the_nodes():
    for network, best in zip(SMALL, BEST, strict=True):
        for order in itertools.permutations(range(len(network.nodes))):
            assert solve_network(network, "gah", order=order).weight * TOLERANCE >= best / 2


def test_joint_is_never_below_gah():
    for network in SMALL:
        assert solve_network(network, "joint").weight * TOLERANCE >= solve_network(network, "gah").weight


def test_the_joint_program_is_exact_where_costs_are_arithmetic():
    linear = [pair for pair in zip(SMALL, BEST, strict=True) if _is_linear(pair[0])]
    assert len(linear) > 8
    for network, best in linear:
        found = solve_network(network, "joint_milp")
        assert found.weight == pytest.approx(best)
        assert found.optimal


@pytest.mark.parametrize("method", ["gah", "joint", "best_channel", "least_loaded"])
def test_one_node_gives_what_solve_gives(method):
    for network in small_networks(12, 1, 8):
        alone = solve(network.instances[0], "surrogate")
        assert solve_network(network, method).weight == alone.size


@pytest.mark.parametrize("method", ["gah", "joint"])
def test_two_copies_of_a_node_serve_at_least_what_one_serves(method):
    for one in small_networks(12, 1, 8):
        columns = (one.prompt_tokens, one.output_tokens, one.latency_s, one.waited_s, one.accuracy)
        shares = (np.repeat(of, 2, axis=0) for of in (one.uplink_share, one.downlink_share))
        two = Network((Node("a", one.nodes[0].system), Node("b", one.nodes[0].system)), *columns, *shares)
        assert solve_network(two, method).weight >= solve_network(one, method).weight


def _contested(requests):
    """Two nodes whose uplinks have room for two requests each, all of which reach both."""
    system = System(
        Slots(0.25, 1.5, 0.25),
        Llm(layers=1, hidden_size=1, ffn_size=1),
        Quantization(16, 16, 1.0, 1.0),
        EdgeNode(1e9, 1e9, 1),
    )
    share = np.full((2, requests), 0.5)
    return Network(
        (Node("a", system), Node("b", system)), np.ones(requests, np.int64), 1, 9.0, 0.0, 0.5, share, share
    )


@pytest.mark.parametrize("method", methods.names())
def test_the_bound_is_tight_where_each_uplink_has_room_for_two(method):
    found = solve_network(_contested(7), method)
    assert found.upper_bound == 4
    assert found.weight <= 4


def test_a_request_that_is_served_twice_or_out_of_reach_is_found():
    network = _contested(3)
    with pytest.raises(InfeasibleSchedule, match="twice"):
        check_network(network, NetworkSchedule(((0,), (0,)), 2, 3))
    with pytest.raises(InfeasibleSchedule, match="node a: "):
        check_network(network, NetworkSchedule(((0, 1, 2), ()), 3, 3))
    for weight, bound in ((2, 3), (1, 0)):
        with pytest.raises(InfeasibleSchedule, match="weight"):
            check_network(network, NetworkSchedule(((0,), ()), weight, bound))


@pytest.mark.parametrize(
    ("method", "options", "words"),
    [
        ("gha", {}, "did you mean gah"),
        ("gah", {"order": [0, 0]}, "each of the nodes 0 to 1 once"),
        ("gah", {"ordre": None}, "an unknown option"),
        ("joint", {"rounds": -1}, "rounds"),
    ],
)
def test_an_unknown_method_or_a_bad_option_is_refused_in_a_line(method, options, words):
    with pytest.raises(InputError) as refused:
        solve_network(_contested(3), method, **options)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
