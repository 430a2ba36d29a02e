"""Requests with weights: who maximizes their sum, and that all who do agree."""

import dataclasses
from itertools import combinations

import numpy as np
import pytest

from edgebatch import InfeasibleSchedule, InputError, Schedule, check, schedulers, solve
from tests.edgebatch.agreement import agreed_weight
from tests.edgebatch.instances import (
    KINDS_OF_ALL_COSTS,
    MODELS_OF_TODAY,
    of_today,
    random_instance,
    sample,
    take,
    under_roofline,
    unit_instance,
    with_weights,
)
from tests.edgebatch.oracle import judge

TAKING = tuple(filter(schedulers.takes_weights, schedulers.names()))


def heaviest(instance) -> float:
    """The largest weight of all batches, each tried."""
    allows, weight = judge(instance), instance.weight
    batches = (
        batch for size in range(1, instance.size + 1) for batch in combinations(range(instance.size), size)
    )
    return max((float(weight[list(batch)].sum()) for batch in batches if allows(batch)), default=0.0)


def instances(count, most, seed=0):
    """Weighted instances of all kinds, costs and billings in turn."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        kind = KINDS_OF_ALL_COSTS[101 * number % len(KINDS_OF_ALL_COSTS)]
        yield with_weights(random_instance(rng, int(rng.integers(1, most + 1)), **kind), rng, number % 2 == 0)


def test_the_schedulers_that_take_weights_are_the_exact_ones_without_chains():
    assert TAKING == ("cp_sat", "enumeration", "milp", "surrogate")


def test_all_exact_schedulers_agree_on_the_largest_weight():
    for instance in instances(128, 12):
        assert agreed_weight(instance) >= 0


def test_the_surrogate_search_finds_what_enumeration_finds():
    for instance in instances(1024, 13, seed=1):
        schedule = solve(instance, "surrogate")
        check(instance, schedule)
        assert schedule.optimal
        assert schedule.weight == pytest.approx(solve(instance, "enumeration").weight, rel=1e-9)


@pytest.mark.parametrize("billing", ["own", "batch_max"])
@pytest.mark.parametrize("variant", MODELS_OF_TODAY)
def test_the_largest_weight_of_models_of_today_is_that_of_enumeration(variant, billing):
    weights = set()
    for number, plain in enumerate(sample(64, 11)):
        rng = np.random.default_rng(number)
        instance = with_weights(of_today(plain, rng, variant, billing), rng, number % 2 == 0)
        schedule = solve(instance, "surrogate")
        check(instance, schedule)
        assert schedule.optimal
        assert schedule.weight == pytest.approx(solve(instance, "enumeration").weight, rel=1e-9)
        weights.add(schedule.weight)
    assert len(weights) > 20


@pytest.mark.parametrize("name", TAKING)
def test_the_largest_weight_is_that_of_trying_every_batch_in_exact_arithmetic(name):
    for instance in instances(48, 8, seed=2):
        schedule = solve(instance, name)
        assert schedule.weight == pytest.approx(heaviest(instance), rel=1e-9)
        assert schedule.weight == pytest.approx(instance.weight[list(schedule.selected)].sum(), rel=1e-12)


@pytest.mark.parametrize("name", TAKING)
def test_weights_of_one_give_the_schedule_of_no_weights(name):
    for plain in sample(32):
        ones = dataclasses.replace(plain, weight=np.ones(plain.size))
        assert solve(ones, name) == solve(plain, name)


@pytest.mark.parametrize("name", TAKING)
def test_equal_weights_ask_for_the_largest_batch(name):
    for plain in sample(32):
        size = solve(plain, "dftsp").size
        schedule = solve(dataclasses.replace(plain, weight=np.full(plain.size, 2.5)), name)
        assert (schedule.size, schedule.optimal) == (size, True)
        assert schedule.weight == pytest.approx(2.5 * size)


@pytest.mark.parametrize("name", TAKING)
def test_one_weighty_request_outweighs_all_others(name):
    # the first fills the band alone; the others fit together
    instance = unit_instance([1] * 5, uplink=[1.0, 0.2, 0.2, 0.2, 0.2])
    assert solve(instance, name).selected == (1, 2, 3, 4)
    assert solve(dataclasses.replace(instance, weight=[4.5, 1, 1, 1, 1]), name).selected == (0,)
    assert solve(dataclasses.replace(instance, weight=[3.5, 1, 1, 1, 1]), name).selected == (1, 2, 3, 4)


def test_the_unit_of_weights_changes_nothing():
    for instance in instances(64, 12, seed=3):
        for factor in (1e-9, 1e9):
            scaled = dataclasses.replace(instance, weight=instance.weight * factor)
            weight = solve(scaled, "surrogate").weight
            assert weight == pytest.approx(factor * solve(instance, "surrogate").weight, rel=1e-9)


@pytest.mark.parametrize("limit", [{"node_limit": 1}, {"node_limit": 5}, {"time_limit_s": 1e-9}])
def test_cut_off_the_surrogate_search_brackets_the_largest_weight(limit):
    cut_off = 0
    for instance in instances(128, 50, seed=4):
        best = solve(instance, "surrogate").weight
        schedule = solve(instance, "surrogate", **limit)
        check(instance, schedule)
        assert schedule.weight <= best * (1 + 1e-9)
        assert best <= schedule.upper_bound * (1 + 1e-9)
        assert schedule.node_limit_reached == (not schedule.optimal)
        cut_off += not schedule.optimal
    assert cut_off > 3


def test_hundreds_of_weighted_requests_are_solved_with_proof():
    for cost in (lambda instance: instance, under_roofline):
        rng = np.random.default_rng(5)
        instance = cost(
            random_instance(rng, 400, **KINDS_OF_ALL_COSTS[-1] | {"cost": "flops", "lengths": "trace"})
        )
        instance = with_weights(instance, rng, whole=False)
        schedule = solve(instance, "surrogate")
        assert schedule.optimal
        check(instance, schedule)


@pytest.mark.parametrize("name", [name for name in schedulers.names() if name not in TAKING])
def test_other_schedulers_refuse_weights_in_one_line_and_take_ones(name):
    instance = unit_instance([1, 1])
    with pytest.raises(
        InputError, match=rf"^requests\[1\]\.weight: found 2\.0, expected 1, as {name} takes no"
    ):
        solve(dataclasses.replace(instance, weight=[1, 2]), name)
    assert solve(dataclasses.replace(instance, weight=[1, 1]), name) == solve(instance, name)


@pytest.mark.parametrize(
    ("weight", "found"), [([1, 0], 0.0), ([1, -2], -2.0), ([1, np.inf], "inf"), ([1, np.nan], "nan")]
)
def test_weights_that_are_not_above_zero_and_finite_are_refused(weight, found):
    with pytest.raises(InputError, match=rf"^weight\[1\]: found {found}, expected numbers above 0"):
        dataclasses.replace(unit_instance([1, 1]), weight=weight)


def test_the_checker_computes_the_weight_of_a_schedule_anew():
    instance = dataclasses.replace(unit_instance([1, 1]), weight=[2.0, 3.0])
    check(instance, Schedule((0, 1), upper_bound=5.0, weight=5.0))
    with pytest.raises(InfeasibleSchedule, match=r"^weight 2 is not that of its requests, 5\.0$"):
        check(instance, Schedule((0, 1), upper_bound=5.0))
    with pytest.raises(InfeasibleSchedule, match=r"^weight 5\.0 exceeds its own bound 4\.0$"):
        check(instance, Schedule((0, 1), upper_bound=4.0, weight=5.0))


def test_a_weighted_instance_keeps_its_weights_when_requests_are_taken_from_it():
    instance = dataclasses.replace(unit_instance([1, 2, 3]), weight=[1.0, 2.0, 3.0])
    assert take(instance, [2, 0]).weight.tolist() == [3.0, 1.0]
