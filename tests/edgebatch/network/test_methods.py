"""What every method of a network promises, and what OT-GAH and the joint search promise besides."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from edgebatch import InputError, solve
from edgebatch.network import check_network, methods, solve_network
from tests.edgebatch.instances import sample as instances
from tests.edgebatch.instances import under_roofline
from tests.edgebatch.network.networks import of_instances, random_network, sample, unit_network

each_method = pytest.mark.parametrize("method", methods.names())
each_weighting = pytest.mark.parametrize("weighted", [False, True])
FROM_GAH = ("gah", "joint")


def test_the_registry_lists_every_file_of_the_folder():
    files = {path.stem for path in Path(methods.__file__).parent.glob("*.py") if path.stem != "__init__"}
    assert set(methods.names()) == files
    assert files == {"best_channel", "gah", "joint", "joint_milp", "least_loaded"}


@each_weighting
@each_method
def test_every_schedule_is_feasible_and_its_bound_holds(method, weighted):
    for network, optimum in sample(24, weighted):
        schedule = solve_network(network, method)
        check_network(network, schedule)
        assert schedule.weight <= optimum * (1 + 1e-9)
        assert optimum <= schedule.upper_bound * (1 + 1e-9)


@each_weighting
def test_the_joint_program_finds_what_trying_all_schedules_finds(weighted):
    for network, optimum in sample(24, weighted):
        schedule = solve_network(network, "joint_milp")
        assert schedule.optimal
        assert schedule.weight == pytest.approx(optimum, rel=1e-6)


@each_weighting
def test_gah_serves_at_least_half_of_the_optimum_in_every_order_of_the_nodes(weighted):
    ratios = []
    for network, optimum in sample(64, weighted):
        for order in itertools.permutations(range(len(network.nodes))):
            served = solve_network(network, "gah", order=order, bound=False).weight
            assert 2 * served >= optimum * (1 - 1e-9)
            ratios.append(served / optimum if optimum else 1.0)
    assert min(ratios) < 0.9


def test_the_half_is_tight():
    # the first node can serve either request, but only one of them; the second node only the one it takes
    network = unit_network([[1.0, 1.0], [1.0, None]], weight=[1 + 1e-6, 1.0])
    assert solve_network(network, "gah").batches == ((0,), ())
    assert solve_network(network, "gah", order=(1, 0)).batches == ((1,), (0,))
    joint = solve_network(network, "joint")
    assert (joint.batches, joint.optimal) == (((1,), (0,)), True)
    assert solve_network(network, "gah").weight / joint.weight < 0.5 + 1e-6


@each_weighting
def test_the_joint_search_serves_no_less_than_gah_and_mostly_the_optimum(weighted):
    optimal, networks = 0, sample(64, weighted)
    for network, optimum in networks:
        joint = solve_network(network, "joint").weight
        assert joint >= solve_network(network, "gah", bound=False).weight
        optimal += joint >= optimum * (1 - 1e-9)
    assert optimal >= 0.9 * len(networks)


@each_weighting
def test_the_joint_search_serves_more_than_gah_on_larger_networks_and_brackets_the_optimum(weighted):
    gained = 0
    for seed in range(12):
        network = random_network(seed, 4, 40, weighted)
        gah, joint = (solve_network(network, method) for method in FROM_GAH)
        for schedule in (gah, joint):
            check_network(network, schedule)
        assert gah.weight <= joint.weight <= gah.upper_bound * (1 + 1e-9)
        gained += joint.weight > gah.weight
    assert gained >= 3


@each_method
def test_one_node_serves_what_it_serves_alone(method):
    for instance in [*instances(32), *map(under_roofline, instances(16))]:
        schedule = solve_network(of_instances([instance]), method)
        assert schedule.size == solve(instance, "surrogate").size
        assert schedule.optimal


@pytest.mark.parametrize("method", ["gah", "joint", "joint_milp"])
def test_two_copies_of_a_node_serve_at_least_what_one_serves(method):
    more = 0
    for instance in instances(32):
        one, two = (solve_network(of_instances([instance] * copies), method).size for copies in (1, 2))
        assert one <= two <= 2 * one
        more += two > one
    assert more > 8


@each_method
def test_the_same_network_gets_the_same_schedule(method):
    for network, _ in sample(8, True):
        assert solve_network(network, method) == solve_network(network, method)


@each_method
def test_a_network_without_requests_serves_nobody(method):
    schedule = solve_network(of_instances([instances(1, 0)[0]] * 2), method)
    assert (schedule.batches, schedule.weight, schedule.upper_bound) == (((), ()), 0, 0)


@each_method
def test_requests_that_reach_no_node_are_not_served(method):
    schedule = solve_network(unit_network([[None, 0.5], [None, 0.5]]), method)
    assert sorted(i for batch in schedule.batches for i in batch) == [1]
    assert schedule.upper_bound == 1


@each_method
def test_sizes_are_whole_numbers_where_requests_have_no_weights(method):
    for network, _ in sample(8, False):
        schedule = solve_network(network, method)
        assert type(schedule.weight) is int
        assert type(schedule.upper_bound) is int
        assert all(type(i) is int for batch in schedule.batches for i in batch)


def test_an_association_sends_each_request_where_it_says():
    near = unit_network([[0.1, 0.2, 0.3], [0.2, 0.1, 0.1]])
    assert solve_network(near, "best_channel").batches == ((0,), (1, 2))
    alike = unit_network([[0.3] * 4, [0.3] * 4])
    assert solve_network(alike, "least_loaded").batches == ((0, 2), (1, 3))


def test_a_time_limit_of_the_joint_program_gives_a_bound_that_holds():
    network = random_network(3, 3, 30)
    schedule = solve_network(network, "joint_milp", time_limit_s=1e-3)
    check_network(network, schedule)
    assert schedule.weight <= solve_network(network, "joint").upper_bound


@pytest.mark.parametrize(
    ("method", "options", "line"),
    [
        ("jiont", {}, r"^method: found 'jiont', expected one of .* \(did you mean joint\?\)$"),
        ("gah", {"ordre": (0, 1)}, r"^method\.ordre: found an unknown option, expected one of order"),
        ("gah", {"order": (0, 0)}, r"^order: found a list of 2, expected each of the nodes 0 to 1 once$"),
        ("joint", {"effort": 0}, r"^effort: found 0, expected a number above 0"),
        ("joint", {"effort": np.inf}, r"^effort: found inf, expected a number above 0"),
        ("joint_milp", {"time_limit_s": -1}, r"^time_limit_s: found -1, expected null for no limit"),
    ],
)
def test_an_unknown_method_or_a_bad_option_is_refused_in_one_line(method, options, line):
    with pytest.raises(InputError, match=line):
        solve_network(unit_network([[0.5], [0.5]]), method, **options)
