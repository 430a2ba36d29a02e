"""Every scheduler of the registry, found by its file, keeps these promises."""

from functools import cache
from pathlib import Path

import pytest

import edgebatch
from edgebatch import InputError, Schedule, check, schedulers, solve
from tests.edgebatch.instances import sample, take, under_roofline, unit_instance, with_system
from tests.edgebatch.oracle import judge, sample_with_optima

OPTIONS = {
    "brute_force": [{"counting": "walk"}],
    "cp_sat": [{"time_limit_s": 1e-9}],
    "dftsp": [{"pruning": ()}, {"node_limit": 3}],
    "milp": [{"deadlines": "big_m"}, {"time_limit_s": 1e-9}],
    "no_batching": [{"admission": "deadline_aware"}],
    "static_batching": [{"admission": "blind"}, {"batch_size": 3}, {"batch_size": 3, "admission": "blind"}],
}
CASES = [(name, options) for name in schedulers.names() for options in ({}, *OPTIONS.get(name, ()))]
OF_BATCHES = [case for case in CASES if case[0] != "no_batching"]
"""Without no_batching: its devices have no common deadline and no padding, so that it is no batch."""

each_case = pytest.mark.parametrize(("name", "options"), CASES)
each_of_batches = pytest.mark.parametrize(("name", "options"), OF_BATCHES)
each_cost = pytest.mark.parametrize("cost", ["flops", "roofline"])


def _sample(count, cost, name, options):
    """Random instances under a cost model; a scheduler may refuse the model by its key."""
    found = sample(count) if cost == "flops" else [under_roofline(x) for x in sample(count)]
    try:
        solve(found[0], name, **options)
    except InputError as refusal:
        if (refusal.key, cost) != ("cost", "roofline"):
            raise
        pytest.skip(str(refusal))
    return found


@cache
def _schedules(cost, name, options):
    """Random instances, each with its schedule."""
    options = dict(options)
    return [(x, solve(x, name, **options)) for x in _sample(128, cost, name, options)]


@each_cost
@each_case
def test_every_schedule_is_feasible(name, options, cost):
    for instance, schedule in _schedules(cost, name, tuple(options.items())):
        check(instance, schedule)


@each_cost
@each_of_batches
def test_no_scheduler_of_batches_exceeds_the_optimum_or_claims_one_that_is_none(name, options, cost):
    schedules = _schedules(cost, name, tuple(options.items()))
    for (_, schedule), (_, optimum) in zip(schedules, sample_with_optima(128, cost), strict=True):
        assert schedule.device_queues is None
        assert schedule.size <= optimum <= schedule.upper_bound
        assert not schedule.optimal or schedule.size == optimum


@each_cost
@each_of_batches
def test_what_is_served_is_feasible_in_exact_arithmetic(name, options, cost):
    for instance, schedule in _schedules(cost, name, tuple(options.items())):
        assert not schedule.selected or judge(instance)(schedule.selected)


@each_cost
@each_case
def test_the_same_instance_gets_the_same_schedule(name, options, cost):
    once = [schedule for _, schedule in _schedules(cost, name, tuple(options.items()))[:32]]
    assert once == [solve(instance, name, **options) for instance in _sample(128, cost, name, options)[:32]]


@each_case
def test_nothing_to_serve_gives_an_empty_schedule(name, options):
    for instance in (unit_instance([]), take(sample(1)[0], [])):
        schedule = solve(instance, name, **options)
        assert (schedule.selected, schedule.missed, schedule.upper_bound) == ((), (), 0)
        assert schedule.optimal
        check(instance, schedule)


@each_case
def test_nothing_that_can_be_served_gives_nothing_served(name, options):
    for instance in sample(16):
        hopeless = with_system(instance, "edge_node", flops=1.0)
        schedule = solve(hopeless, name, **options)
        assert schedule.selected == ()
        check(hopeless, schedule)


@each_case
def test_selected_and_missed_are_in_order_of_arrival_and_plain_integers(name, options):
    for _, schedule in _schedules("flops", name, tuple(options.items())):
        for indices in (schedule.selected, schedule.missed):
            assert list(indices) == sorted(indices)
            assert all(type(i) is int for i in indices)


@each_case
def test_nobody_who_needs_more_accuracy_than_is_offered_runs(name, options):
    for instance, schedule in _schedules("flops", name, tuple(options.items())):
        assert all(instance.accuracy[i] <= 0.9 for i in schedule.selected + schedule.missed)


@each_case
def test_a_lone_request_with_time_to_spare_is_served(name, options):
    assert solve(unit_instance([1]), name, **options).selected == (0,)


@each_case
def test_a_load_exactly_at_every_budget_is_served(name, options):
    # 1 s of 1 s, 12 + 8 of 20 bytes, all of both bands
    instance = unit_instance([1], slack_s=1.0, compute_s=1.0, memory_bytes=20.0, uplink=1.0, downlink=1.0)
    assert solve(instance, name, **options).selected == (0,)


@each_case
def test_a_load_half_a_billionth_above_every_budget_is_served(name, options):
    hair = 1 + 0.5e-9
    budgets = {"slack_s": 1 / hair, "compute_s": 1 / hair, "memory_bytes": 20 / hair}
    instance = unit_instance([1], uplink=hair, downlink=hair, **budgets)
    assert solve(instance, name, **options).selected == (0,)


@each_case
@pytest.mark.parametrize("budget", ["slack_s", "compute_s", "memory_bytes", "uplink", "downlink"])
def test_a_load_two_billionths_above_one_budget_is_not_served(name, options, budget):
    full = {"slack_s": 1.0, "compute_s": 1.0, "memory_bytes": 20.0, "uplink": 1.0, "downlink": 1.0}
    over = 1 + 2e-9 if budget in ("uplink", "downlink") else 1 / (1 + 2e-9)
    instance = unit_instance([1], **full | {budget: full[budget] * over})
    assert solve(instance, name, **options).selected == ()


@each_case
def test_a_schedule_counts_its_nodes_in_plain_integers(name, options):
    schedule: Schedule = solve(sample(1)[0], name, **options)
    assert type(schedule.nodes_visited) is int
    assert type(schedule.upper_bound) is int
    assert schedule.nodes_visited >= 0
    assert schedule.node_limit_reached == ("node_limit" in options)


def test_the_registry_lists_every_file_of_the_folder_in_alphabetical_order():
    folder = Path(edgebatch.__file__).parent / "schedulers"
    files = [path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")]
    assert schedulers.names() == tuple(sorted(files))
    assert "dftsp" in files


@each_cost
def test_the_three_exact_schedulers_agree(cost):
    for instance in _sample(128, cost, "dftsp", {}):
        sizes = {solve(instance, name).size for name in ("dftsp", "brute_force", "enumeration")}
        assert len(sizes) == 1


def test_options_are_those_of_the_signature():
    assert schedulers.options("static_batching") == {"batch_size": "auto", "admission": "feasible"}
    assert set(schedulers.options("dftsp")) == {"pruning", "node_limit"}


def test_an_unknown_scheduler_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"^scheduler: found 'statik_batching', .*mean static_batching\?"):
        schedulers.get("statik_batching")
