"""The roofline cost model: by hand, and as the compiled search, the plain function and the checker price it.

A batch of the unit model takes 12 bytes of weights and 4 A c bytes of cache, and A (12 + 4 c) FLOPs, in a
step with A live requests at a context of c tokens; (8 s' + 4 s'^2 + 4 s') FLOPs a request in the first stage.
"""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import EdgeNode, InputError, Instance, Llm, Quantization, Schedule, Slots, System, check, solve
from edgebatch.model.roofline import Roofline
from edgebatch.search.tree.cost import batch_cost
from edgebatch.search.tree.price import compute_time_s
from tests.edgebatch.instances import BLOOM_3B, KINDS, UNIT, random_instance, steady, under_roofline
from tests.edgebatch.oracle import optimum

SMALL = Llm(layers=2, hidden_size=64, ffn_size=256)
FP16 = Quantization(weight_bits=16, kv_bits=16, compute_factor=1.0, accuracy=1.0)


def _system(llm=SMALL, quantization=FP16, flops=1e9, cost="flops") -> System:
    slots, node = Slots(0.25, 1e200, 0.25), EdgeNode(flops, memory_bytes=1e200, devices=1)
    return System(slots, llm, quantization, node, cost=cost)


def _compiled_s(system, padded, lengths, counts) -> float:
    return float(compute_time_s(batch_cost(system, padded, np.array(lengths)), np.array(counts)))


def _plain_s(system, padded, lengths, counts) -> float:
    return system.batch_time_s(padded, np.array(lengths), np.array(counts))


def _checked_s(system, padded, lengths, counts) -> float:
    """What the checker sums step by step."""
    outputs = np.repeat(lengths, counts)
    zero, patient = np.zeros(outputs.size), np.full(outputs.size, 1e200)
    instance = Instance(
        system,
        np.full(outputs.size, padded),
        outputs,
        patient,
        zero,
        zero,
        uplink_share=zero,
        downlink_share=zero,
    )
    return check(instance, Schedule(tuple(range(outputs.size)), upper_bound=outputs.size)).compute_time_s


PRICES = (_compiled_s, _plain_s, _checked_s)
FEW_KV_BITS = Quantization(weight_bits=16, kv_bits=1, compute_factor=1.0, accuracy=1.0)
BY_HAND = [
    # bandwidth, quantization, lengths, counts, time; all at s' = 1 and 16 FLOPS
    # memory in every step: (12 + 8) / 4 for both; then one of them with 12 + 8 and 12 + 12 bytes
    (4.0, FP16, [1, 3], [1, 1], 20 / 4 + 20 / 4 + 24 / 4),
    # arithmetic in the first step and up to c = 7: 8 (12 + 4 c) / 16 > (12 + 32 c) / 12
    (12.0, FP16, [9], [8], 8 + 10 + 12 + 14 + 16 + 18 + 20 + (12 + 32 * 8) / 12 + (12 + 32 * 9) / 12),
    # a small cache: memory up to c = 3, then arithmetic
    (8.0, FEW_KV_BITS, [4], [1], (12.25 + 12.5 + 12.75) / 8 + (12 + 16) / 16),
    # a length that nobody has, and memory wide enough for arithmetic to set the pace
    (1e6, FP16, [1, 2, 3], [1, 0, 2], 3 * 16 / 16 + 2 * 20 / 16 + 2 * 24 / 16),
    (4.0, FP16, [1, 2], [0, 0], 0.0),
]


@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize(("bandwidth", "quantization", "lengths", "counts", "time_s"), BY_HAND)
def test_time_of_a_batch_by_hand(price, bandwidth, quantization, lengths, counts, time_s):
    system = _system(UNIT, quantization, flops=16.0, cost=Roofline(bandwidth))
    assert price(system, 1, lengths, counts) == pytest.approx(time_s, rel=1e-12)


@pytest.mark.parametrize("price", PRICES)
def test_a_token_of_bloom_3b_on_one_tx2_takes_as_long_as_its_weights_take_to_read(price):
    def token_s(cost):
        system = _system(BLOOM_3B, flops=1.33e12, cost=cost)
        return price(system, 1, [2], [1]) - price(system, 1, [1], [1])

    # 30 (8 * 2560^2 + 4 * 2560 * 10240) bytes of weights and 2 tokens of 4 * 30 * 2560 bytes at 59.7 GB/s
    assert token_s(Roofline(59.7e9)) == pytest.approx((4_718_592_000 + 2 * 307_200) / 59.7e9, rel=1e-9)
    assert token_s("flops") == pytest.approx((4_718_592_000 + 2 * 307_200) / 1.33e12, rel=1e-9)


@pytest.mark.parametrize("price", PRICES)
def test_weights_of_half_the_bits_are_read_in_half_the_time(price):
    halved = Quantization(weight_bits=8, kv_bits=8, compute_factor=1.0, accuracy=1.0)
    slow = Roofline(1.0)
    assert price(_system(quantization=halved, cost=slow), 5, [3, 7], [1, 2]) == pytest.approx(
        price(_system(cost=slow), 5, [3, 7], [1, 2]) / 2, rel=1e-12
    )


@st.composite
def batches(draw):
    """A node, a padded length, output lengths and counts; arithmetic and memory are about as slow."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([1, 2, 3, 10, 300]))
    lengths = np.sort(rng.choice(np.arange(1, 901), size, replace=False))
    counts = rng.integers(0, rng.choice([2, 10]), size) * rng.integers(0, 2, size)
    counts[rng.integers(size)] += 1
    quantization = Quantization(rng.uniform(2, 16), rng.uniform(2, 16), rng.uniform(0.3, 1), 1.0)
    bandwidth = 1e9 / counts.sum() * 10 ** rng.uniform(-1, 1.5)
    return (
        _system(quantization=quantization, cost=Roofline(bandwidth)),
        int(rng.integers(1, 900)),
        lengths,
        counts,
    )


@steady
@given(batches())
def test_search_and_baselines_price_a_batch_as_the_checker_sums_it_step_by_step(batch):
    literal_s = _checked_s(*batch)
    assert _compiled_s(*batch) == pytest.approx(literal_s, rel=1e-12)
    assert _plain_s(*batch) == pytest.approx(literal_s, rel=1e-12)


def test_the_random_batches_wait_for_memory_in_some_steps_and_not_in_others():
    rng, between = np.random.default_rng(0), 0
    for _ in range(40):
        lengths, counts = np.array([5, 400, 800]), rng.integers(1, 9, 3)
        system = _system(cost=Roofline(1e9 / counts.sum() * 10 ** rng.uniform(-1, 1.5)))
        memory = dataclasses.replace(system, edge_node=EdgeNode(1e200, 1e200, 1))
        arithmetic = dataclasses.replace(system, cost="flops")
        least = max(_checked_s(other, 100, lengths, counts) for other in (memory, arithmetic))
        between += _checked_s(system, 100, lengths, counts) > least * (1 + 1e-6)
    assert between > 10


@steady
@given(batches())
def test_with_bandwidth_without_end_both_cost_models_agree_to_the_last_digit(batch):
    system, *rest = batch
    for price in PRICES[:2]:
        roofline = price(dataclasses.replace(system, cost=Roofline(1e300)), *rest)
        assert roofline == price(dataclasses.replace(system, cost="flops"), *rest)


@steady
@given(batches(), st.data())
def test_one_more_request_or_a_longer_output_always_takes_longer(batch, data):
    system, padded, lengths, counts = batch
    before = _compiled_s(*batch)
    place = data.draw(st.integers(0, lengths.size - 1))
    one = np.eye(lengths.size, dtype=int)
    assert _compiled_s(system, padded, lengths, counts + one[place]) > before
    assert _compiled_s(system, padded + 1, lengths, counts) > before
    if place and counts[place - 1]:
        assert _compiled_s(system, padded, lengths, counts + one[place] - one[place - 1]) > before


@steady
@given(batches(), batches())
def test_two_batches_in_one_take_no_longer_than_one_after_the_other(batch, other):
    system, padded, lengths, counts = batch
    more = np.resize(other[3], lengths.size)
    together = _compiled_s(system, padded, lengths, counts + more)
    apart = _compiled_s(system, padded, lengths, counts) + _compiled_s(system, padded, lengths, more)
    assert together <= apart * (1 + 1e-12)


def test_steps_are_priced_in_parts_whose_number_is_irrelevant(monkeypatch):
    batch = _system(cost=Roofline(1e8)), 10, [3, 50, 200], [2, 1, 3]
    whole = _checked_s(*batch)
    monkeypatch.setattr("edgebatch.checker.STEPS_AT_ONCE", 7)
    assert _checked_s(*batch) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS[::3], ids=str)
def test_dftsp_and_enumeration_find_the_optimum(kind):
    for seed, requests in enumerate((6, 8, 10)):
        instance = under_roofline(random_instance(np.random.default_rng(seed), requests, **kind))
        best = optimum(instance)
        assert solve(instance).size == solve(instance, "enumeration").size == best
        assert solve(instance).optimal


def test_a_bandwidth_of_zero_is_refused():
    with pytest.raises(
        InputError, match=r"^memory_bandwidth_bytes_per_s: found 0.0, expected a number above 0"
    ):
        Roofline(0.0)


def test_an_unknown_cost_model_is_refused():
    with pytest.raises(InputError, match=r"^cost: found 'flop', expected flops or a Roofline"):
        _system(cost="flop")
