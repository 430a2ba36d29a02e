"""What the optimum must do when requests or budgets change, whatever the instance."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import solve
from tests.edgebatch.instances import instances, sample, steady, take, with_system

powers_of_two = st.integers(-8, 8).map(lambda exponent: 2.0**exponent)


def _scaled(instance, factor, *columns):
    return dataclasses.replace(instance, **{name: getattr(instance, name) * factor for name in columns})


def _system_scaled(instance, part, factor, *names):
    values = {name: getattr(getattr(instance.system, part), name) * factor for name in names}
    return with_system(instance, part, **values)


TIGHTER = {
    "memory": lambda x, factor: _system_scaled(x, "edge_node", factor, "memory_bytes"),
    "flops": lambda x, factor: _system_scaled(x, "edge_node", factor, "flops"),
    "compute slot": lambda x, factor: _system_scaled(x, "slots", factor, "compute_s"),
    "latencies": lambda x, factor: _scaled(x, factor, "latency_s"),
    "waits": lambda x, factor: _scaled(x, 1 / factor, "waited_s"),
    "uplink": lambda x, factor: _scaled(x, 1 / factor, "uplink_share"),
    "downlink": lambda x, factor: _scaled(x, 1 / factor, "downlink_share"),
    "accuracy": lambda x, factor: _system_scaled(x, "quantization", factor, "accuracy"),
    "uplink slot": lambda x, factor: _system_scaled(x, "slots", 1 / factor, "uplink_s"),
}


@pytest.mark.parametrize("budget", TIGHTER)
@steady
@given(instance=instances(at_least=1, at_most=12), factor=st.floats(0.4, 1.0))
def test_tightening_a_budget_never_raises_the_optimum(budget, instance, factor):
    assert solve(TIGHTER[budget](instance, factor)).size <= solve(instance).size


@pytest.mark.parametrize("budget", TIGHTER)
def test_tightening_a_budget_far_enough_lowers_the_optimum(budget):
    assert any(solve(TIGHTER[budget](x, 0.4)).size < solve(x).size for x in sample(96))


@steady
@given(instances(at_least=1, at_most=12), st.data())
def test_one_more_request_raises_the_optimum_by_one_at_most_and_never_lowers_it(instance, data):
    left_out = data.draw(st.integers(0, instance.size - 1))
    fewer = take(instance, [i for i in range(instance.size) if i != left_out])
    assert solve(fewer).size <= solve(instance).size <= solve(fewer).size + 1


@steady
@given(instances(at_most=12), st.data())
def test_the_order_of_the_requests_is_irrelevant_to_the_size(instance, data):
    order = data.draw(st.permutations(range(instance.size)))
    assert solve(take(instance, order)).size == solve(instance).size


@steady
@given(instances(at_most=12))
def test_the_two_bands_can_change_places(instance):
    swapped = dataclasses.replace(
        instance, uplink_share=instance.downlink_share, downlink_share=instance.uplink_share
    )
    assert solve(swapped).size == solve(instance).size


@steady
@given(instances(at_most=12), powers_of_two)
def test_flops_and_compute_factor_scaled_together_change_nothing(instance, factor):
    faster = _system_scaled(instance, "edge_node", factor, "flops")
    assert solve(_system_scaled(faster, "quantization", factor, "compute_factor")) == solve(instance)


@steady
@given(instances(at_most=12), st.integers(-8, 0).map(lambda exponent: 2.0**exponent))
def test_memory_and_bits_scaled_together_change_nothing(instance, factor):
    smaller = _system_scaled(instance, "edge_node", factor, "memory_bytes")
    assert solve(_system_scaled(smaller, "quantization", factor, "weight_bits", "kv_bits")) == solve(instance)


@steady
@given(instances(at_most=12), powers_of_two)
def test_a_slower_clock_changes_nothing(instance, factor):
    slower = _scaled(instance, factor, "latency_s", "waited_s")
    slower = _system_scaled(slower, "slots", factor, "uplink_s", "compute_s", "downlink_s")
    assert solve(_system_scaled(slower, "edge_node", 1 / factor, "flops")) == solve(instance)


@steady
@given(instances(at_most=12), st.integers(1, 100))
def test_how_many_devices_share_the_flops_is_irrelevant_to_a_batch(instance, devices):
    assert solve(with_system(instance, "edge_node", devices=devices)) == solve(instance)


@steady
@given(instances(at_least=1, at_most=12))
def test_the_selected_requests_alone_are_served_all(instance):
    selected = solve(instance).selected
    assert solve(take(instance, selected)).selected == tuple(range(len(selected)))
