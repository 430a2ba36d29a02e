import json
import os
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from edgebatch import InputError, check, solve
from edgebatch.schedulers import dftsp
from edgebatch.schedulers.dftsp import RULES
from tests.edgebatch.instances import (
    KINDS,
    instances,
    name_of,
    random_instance,
    sample,
    steady,
    take,
    under_roofline,
    unit_instance,
)
from tests.edgebatch.oracle import judge, optimum, request_flops
from tests.edgebatch.reference_search import nodes_until_found

RULE_SETS = [rules for size in range(len(RULES) + 1) for rules in combinations(RULES, size)]


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_size_is_that_of_the_largest_of_all_feasible_subsets(kind):
    for seed in range(5):
        instance = random_instance(np.random.default_rng(seed), 6 + seed, **kind)
        schedule = dftsp.schedule(instance)
        assert (schedule.size, schedule.upper_bound) == (optimum(instance), optimum(instance))
        assert schedule.size == 0 or judge(instance)(schedule.selected)


def _by_integer_programming(instance) -> int:
    """The optimum again: the best over padded length and deadline, each an integer programme."""
    system, best = instance.system, 0
    llm, quantization, node = system.llm, system.quantization, system.edge_node
    weights = llm.layers * (8 * llm.hidden_size**2 + 4 * llm.hidden_size * llm.ffn_size)
    room = node.memory_bytes - weights * quantization.weight_bits / 16
    token_bytes = 4 * llm.layers * llm.hidden_size * quantization.kv_bits / 16
    for padded in np.unique(instance.prompt_tokens) if system.fixed_padding_tokens is None else [512]:
        flops = [
            request_flops(llm.layers, llm.hidden_size, llm.ffn_size, int(padded), int(n))
            for n in instance.output_tokens
        ]
        times_s = np.array(flops) * quantization.compute_factor / node.flops
        rows = [
            instance.uplink_share,
            instance.downlink_share,
            (padded + instance.output_tokens) * token_bytes / room,
        ]
        for deadline_s in np.unique(instance.deadline_s):
            may = (instance.deadline_s >= deadline_s) & (instance.prompt_tokens <= padded)
            may &= instance.accuracy <= quantization.accuracy
            limits = LinearConstraint(np.array([*rows, times_s / deadline_s]), ub=1)
            found = milp(-np.ones(instance.size), constraints=limits, bounds=Bounds(0, may), integrality=1)
            best = max(best, round(-found.fun))
    return best


@pytest.mark.parametrize("seed", range(0, 96, 9))
def test_size_is_that_of_an_integer_programme_on_larger_instances(seed):
    kind = KINDS[seed] | {"lengths": "grid", "ties": False}
    instance = random_instance(np.random.default_rng(seed), 18, **kind)
    assert dftsp.schedule(instance).size == _by_integer_programming(instance)


def test_every_choice_of_pruning_rules_selects_the_same_requests():
    for instance in sample(96):
        assert len({dftsp.schedule(instance, pruning=rules).selected for rules in RULE_SETS}) == 1


def test_one_more_pruning_rule_never_visits_more_nodes():
    for instance in sample(96):
        nodes = {frozenset(r): dftsp.schedule(instance, pruning=r).nodes_visited for r in RULE_SETS}
        assert all(nodes[rules | {rule}] <= nodes[rules] for rules in nodes for rule in RULES)


@pytest.mark.parametrize("rules", RULE_SETS, ids=lambda rules: "+".join(rules) or "none")
def test_nodes_are_those_of_the_search_as_it_is_written_down(rules):
    for instance in (*sample(96, requests=8), *map(under_roofline, sample(24, requests=8))):
        assert dftsp.schedule(instance, pruning=rules).nodes_visited == nodes_until_found(instance, rules)


def _found(requests):
    return [[list(s.selected), s.nodes_visited] for s in map(dftsp.schedule, sample(96, requests))]


def test_the_search_never_reaches_beyond_its_arrays():
    # not compiled, an index beyond an array is an error
    program = f"import json; from {__name__} import _found; print(json.dumps(_found(6)))"
    interpreted = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, env=interpreted, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == _found(6)


@pytest.mark.parametrize("rule", RULES)
def test_each_pruning_rule_alone_saves_nodes_somewhere(rule):
    visited = [dftsp.schedule(x, pruning=[rule]).nodes_visited for x in sample(32)]
    unpruned = [dftsp.schedule(x, pruning=[]).nodes_visited for x in sample(32)]
    assert sum(visited) < sum(unpruned)


@pytest.mark.parametrize("rule", RULES)
def test_no_pruning_rule_is_made_needless_by_the_others(rule):
    others = [other for other in RULES if other != rule]
    visited = [dftsp.schedule(x).nodes_visited for x in sample(96, requests=20)]
    without = [dftsp.schedule(x, pruning=others).nodes_visited for x in sample(96, requests=20)]
    assert sum(visited) < sum(without)


@pytest.mark.parametrize(
    ("pruning", "nodes"),
    [
        # z = 5: root and 4 ... 0; z = 4, for two tightest requests: root and 3 ... 0; z = 3: root and 2
        ((), 6 + 5 + 5 + 2),
        # a lone chain must give all that is missing: root and one leaf each
        (("supply",), 2 + 2 + 2 + 2),
        # the first leaf breaks the compute time: no later sibling
        (("sibling",), 2 + 2 + 2 + 2),
        # even the roots of z = 5 and z = 4 are hopeless
        (("budget",), 1 + 1 + 1 + 2),
        # three requests are the most that the compute slot holds: z = 3 at once
        (("batch_size",), 2),
        (RULES, 2),
    ],
)
def test_nodes_of_five_equal_requests_of_which_three_fit_by_hand(pruning, nodes):
    # one second each, three seconds in all; the tightest of z requests is the z-th or a later one
    schedule = dftsp.schedule(unit_instance([1] * 5, compute_s=3.0), pruning=pruning)
    assert (schedule.size, schedule.nodes_visited) == (3, nodes)


@pytest.mark.parametrize(
    "budget",
    [{"compute_s": 3.0}, {"memory_bytes": 36.0}, {"uplink": 1 / 3}, {"downlink": 1 / 3}, {"slack_s": 3.0}],
)
def test_no_size_above_what_one_budget_allows_is_tried(budget):
    (forest,) = dftsp.forests(unit_instance([1] * 5, **budget), bounded=True)
    assert forest.size_bound == 3


def test_each_prompt_length_is_a_padding_to_search_unless_one_is_fixed():
    prompts = [3, 1, 3, 2]
    assert [f.requests.size for f in dftsp.forests(unit_instance(prompts), bounded=False)] == [1, 2, 4]
    assert [f.requests.size for f in dftsp.forests(unit_instance(prompts, padding=3), bounded=False)] == [4]


def test_among_requests_of_one_length_those_with_the_smallest_shares_are_taken():
    instance = unit_instance([1] * 4, uplink=[0.75, 0.25, 0.5, 0.25], downlink=[0.5, 0.25, 0.25, 0.25])
    assert dftsp.schedule(instance).selected == (1, 2, 3)


@steady
@given(instances(at_least=1), st.integers(1, 60))
def test_a_search_cut_off_returns_a_feasible_schedule_and_a_bound_that_holds(instance, node_limit):
    schedule = dftsp.schedule(instance, node_limit=node_limit)
    check(instance, schedule)
    best = optimum(instance)
    assert schedule.size <= best <= schedule.upper_bound
    assert not schedule.optimal or schedule.size == best
    assert schedule.nodes_visited <= node_limit
    assert schedule.node_limit_reached == (dftsp.schedule(instance).nodes_visited > node_limit)


def test_a_search_that_just_fits_its_node_limit_is_not_cut_off():
    for instance in sample(96):
        whole = dftsp.schedule(instance)
        assert whole.nodes_visited > 1
        assert dftsp.schedule(instance, node_limit=whole.nodes_visited) == whole
        assert dftsp.schedule(instance, node_limit=whole.nodes_visited - 1).node_limit_reached


def test_a_search_cut_off_serves_someone_and_often_less_than_the_optimum():
    cut = [dftsp.schedule(x, node_limit=1) for x in sample(96)]
    assert all(schedule.size >= 1 for schedule in cut)
    assert any(schedule.size < solve(x).size for schedule, x in zip(cut, sample(96), strict=True))
    assert not all(schedule.optimal for schedule in cut)


@steady
@given(instances(at_most=8))
def test_a_request_that_cannot_be_served_alone_changes_nothing(instance):
    servable = np.flatnonzero(instance.servable())
    alone = dftsp.schedule(take(instance, servable))
    among_others = dftsp.schedule(instance)
    assert among_others.selected == tuple(servable[list(alone.selected)].tolist())
    assert among_others.nodes_visited == alone.nodes_visited


def test_an_unknown_pruning_rule_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"^pruning: found 'sibblings', .*did you mean sibling\?"):
        solve(unit_instance([1]), "dftsp", pruning=["sibblings"])
