import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import InputError, solve
from edgebatch.schedulers import linear_relaxation
from edgebatch.schedulers.linear_relaxation import linear_bound, relaxation, shadow_prices, simple_bound
from tests.edgebatch.instances import instances, sample, steady, under_roofline, unit_instance
from tests.edgebatch.oracle import sample_with_optima


@pytest.fixture(scope="module")
def solved():
    """Random instances of 14 requests, of every kind, each with its optimum and its relaxation."""
    return [(x, solve(x).size, solve(x, "linear_relaxation")) for x in sample(400, requests=14)]


def test_the_bound_is_never_below_the_optimum(solved):
    assert all(schedule.upper_bound >= optimum for _, optimum, schedule in solved)


def test_the_bound_is_never_below_the_optimum_in_exact_arithmetic():
    for instance, optimum in sample_with_optima(128):
        assert solve(instance, "linear_relaxation").upper_bound >= optimum


def test_optimal_means_that_batch_and_bound_meet_at_the_optimum(solved):
    proven = [schedule.size == optimum for _, optimum, schedule in solved if schedule.optimal]
    assert all(proven)
    assert len(proven) > 0.9 * len(solved)


def test_where_the_bound_is_not_met_no_optimum_is_claimed(solved):
    open_ = [schedule for _, _, schedule in solved if not schedule.optimal]
    assert open_
    assert all(schedule.size < schedule.upper_bound for schedule in open_)


def test_the_bound_is_never_above_that_of_a_single_budget(solved):
    for instance, _, schedule in solved:
        servable = np.flatnonzero(instance.servable())
        # the cheapest that a request can be in any batch: alone, and due as late as any
        padded, latest_s = instance.padded(instance.prompt_tokens), instance.deadline_s.max()
        shares = instance.uplink_share, instance.downlink_share
        system, outputs = instance.system, instance.output_tokens
        room = system.edge_node.memory_bytes - system.weight_bytes
        loads = [
            *shares,
            system.kv_bytes(padded, outputs) / room,
            system.llm.request_flops(padded, outputs) * system.seconds_per_flop / latest_s,
        ]
        for load in loads:
            held = np.cumsum(np.sort(load[servable])) <= 1 + 1e-8
            assert schedule.upper_bound <= held.sum()


def test_two_budgets_together_bound_more_than_either_alone():
    # each takes 0.9 of the two bands together, which hold 2; either band alone holds three
    shares = {"uplink": [0.1, 0.1, 0.8, 0.8], "downlink": [0.8, 0.8, 0.1, 0.1]}
    schedule = solve(unit_instance([1] * 4, **shares), "linear_relaxation")
    assert (schedule.size, schedule.upper_bound, schedule.optimal) == (2, 2, True)


def test_what_only_fractions_of_requests_could_do_stays_open():
    # two of either kind are too much for a band; 1 / 0.65 of both kinds are not, 3.07 in all
    shares = {"uplink": [0.6, 0.6, 0.05, 0.05], "downlink": [0.05, 0.05, 0.6, 0.6]}
    schedule = solve(unit_instance([1] * 4, **shares), "linear_relaxation")
    assert (schedule.size, schedule.upper_bound, schedule.optimal) == (2, 3, False)


@steady
@given(instance=instances(at_least=1), prices=st.lists(st.floats(0, 10), min_size=4, max_size=4))
def test_any_prices_prove_a_bound_on_the_requests_that_fit_together(instance, prices):
    batch = np.array(solve(instance).selected, dtype=int)
    if batch.size:
        padded = int(np.max(instance.padded(instance.prompt_tokens[batch])))
        deadline_s = float(instance.deadline_s[batch].min())
        _, load = relaxation(instance, np.flatnonzero(instance.servable()), padded, deadline_s)
        assert linear_bound(load, np.array(prices)) >= batch.size
        assert simple_bound(load) >= batch.size


def test_prices_of_the_solver_prove_the_optimum_of_the_program():
    # one budget: 0.3 three times, 0.2 of the fourth
    load = np.array([[0.3, 0.3, 0.3, 0.5], [0.0] * 4, [0.0] * 4, [0.0] * 4])
    assert shadow_prices(load) == pytest.approx([2, 0, 0, 0])
    assert linear_bound(load, shadow_prices(load)) == 3


def test_an_exact_fit_is_not_lost_to_rounding():
    for size in range(1, 60):
        instance = unit_instance([1] * 60, uplink=1 / size, slack_s=100.0)
        assert solve(instance, "linear_relaxation").upper_bound == size
    for size in range(2, 60):
        # all but one are small, and the last fills the budget
        load = np.zeros((4, size + 3))
        load[0] = [0.7 / size] * (size - 1) + [1 - (size - 1) * 0.7 / size] * 4
        assert linear_bound(load, shadow_prices(load)) == size


def test_without_a_solution_of_the_program_the_simple_bound_stands(monkeypatch):
    monkeypatch.setattr(linear_relaxation, "shadow_prices", lambda load: np.zeros(len(load)))
    schedule = solve(unit_instance([1] * 4, uplink=0.4), "linear_relaxation")
    assert (schedule.size, schedule.upper_bound) == (2, 2)


def test_a_cost_model_that_is_not_linear_is_refused():
    with pytest.raises(InputError, match=r"^cost: found roofline, expected flops"):
        solve(under_roofline(unit_instance([1])), "linear_relaxation")
