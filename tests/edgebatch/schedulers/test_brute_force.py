from itertools import combinations

import numpy as np
import pytest

from edgebatch import InputError, solve
from edgebatch.schedulers import brute_force, dftsp
from edgebatch.schedulers.brute_force import COUNTABLE, tree_nodes
from tests.edgebatch.instances import sample, take, unit_instance, with_system
from tests.edgebatch.oracle import sample_with_optima

RULE_SETS = [rules for size in range(len(COUNTABLE) + 1) for rules in combinations(COUNTABLE, size)]


def _varied(count):
    """Random instances of 1 to 9 requests."""
    return [take(x, range(1 + i % 9)) for i, x in enumerate(sample(count))]


@pytest.mark.parametrize("pruning", RULE_SETS, ids=lambda rules: "+".join(rules) or "none")
def test_the_formula_counts_exactly_the_nodes_of_the_walk(pruning):
    for instance in _varied(256):
        walked = brute_force.schedule(instance, counting="walk", pruning=pruning)
        assert brute_force.schedule(instance, counting="formula", pruning=pruning) == walked


def test_formula_and_walk_agree_where_no_request_can_be_served():
    for instance in sample(32):
        hopeless = with_system(instance, "edge_node", memory_bytes=1.0)
        walked = brute_force.schedule(hopeless, counting="walk")
        assert brute_force.schedule(hopeless) == walked
        assert (walked.selected, walked.upper_bound, walked.nodes_visited) == ((), 0, 0)


def test_formula_and_walk_agree_where_one_request_alone_can_be_served():
    for instance in sample(32):
        one = take(instance, np.flatnonzero(instance.servable())[:1])
        walked = brute_force.schedule(one, counting="walk")
        assert brute_force.schedule(one) == walked
        assert (walked.selected, walked.nodes_visited) == ((0,), 1)


def test_formula_and_walk_agree_where_only_batches_of_one_are_feasible():
    for instance in sample(32):
        crowded = with_system(instance, "edge_node", flops=instance.system.edge_node.flops * 0.4)
        walked = brute_force.schedule(crowded, counting="walk")
        assert brute_force.schedule(crowded) == walked


def test_brute_force_is_dftsp_without_pruning():
    for instance in sample(96):
        assert brute_force.schedule(instance, counting="walk") == dftsp.schedule(instance, pruning=())
        assert brute_force.schedule(instance).selected == dftsp.schedule(instance).selected


def test_brute_force_is_optimal():
    for instance, optimum in sample_with_optima(128):
        schedule = brute_force.schedule(instance)
        assert (schedule.size, schedule.optimal) == (optimum, True)


def test_pruning_saves_most_of_the_nodes():
    visited = sum(solve(x).nodes_visited for x in sample(96, requests=12))
    unpruned = sum(brute_force.schedule(x).nodes_visited for x in sample(96, requests=12))
    assert visited < 0.55 * unpruned


def test_nodes_of_a_tree_over_two_chains_by_hand():
    # of a chain of 2 and a chain of 1. None needed: the root is a leaf.
    # 1 needed: root; 1 leaf; 0, 0+1 leaf, 0+0 dead end.
    # 2 needed: root; 2 leaf; 1, 1+1 leaf, 1+0 dead end; 0, 0+1 dead end, 0+0 dead end.
    # 3 needed: root; 2, 2+1 leaf, 2+0 dead end; 1, 1+1, 1+0; 0, 0+1, 0+0.
    assert tree_nodes([2, 1], 3) == [1, 5, 8, 10]


def test_nodes_of_the_same_tree_where_supply_is_heeded_by_hand():
    # 1 needed: root; 1; 0, 0+1. 2 needed: root; 2; 1, 1+1. 3 needed: root; 2, 2+1.
    assert tree_nodes([2, 1], 3, supply=True) == [1, 4, 4, 3]


@pytest.mark.parametrize("counting", ["formula", "walk"])
def test_nodes_of_five_equal_requests_of_which_three_fit_by_hand(counting):
    # z = 5: root and 4 ... 0; z = 4, twice: root and 3 ... 0; z = 3: root and 2
    schedule = brute_force.schedule(unit_instance([1] * 5, compute_s=3.0), counting=counting)
    assert (schedule.size, schedule.nodes_visited) == (3, 6 + 5 + 5 + 2)


def test_the_formula_counts_trees_that_no_walk_could_finish():
    # a hundred chains of one request each: shares apart, and the compute slot holds half of them
    shares = np.arange(1, 101) / 100_000
    instance = unit_instance([1] * 100, uplink=shares, downlink=shares[::-1], slack_s=50.0)
    schedule = brute_force.schedule(instance)
    assert schedule.size == 50
    assert schedule.nodes_visited > 2**90


def test_an_unknown_counting_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"^counting: found 'formulae', .*did you mean formula\?"):
        brute_force.schedule(unit_instance([1]), counting="formulae")


def test_a_rule_whose_nodes_cannot_be_counted_is_refused():
    with pytest.raises(InputError, match=r"^pruning: found 'budget', expected one of batch_size, supply"):
        brute_force.schedule(unit_instance([1]), pruning=["budget"])
