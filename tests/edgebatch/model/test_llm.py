import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import InputError, Llm
from tests.edgebatch.instances import BLOOM_3B, UNIT, steady
from tests.edgebatch.oracle import request_flops

SMALL = Llm(layers=2, hidden_size=3, ffn_size=5)


def test_weights_are_8_d_squared_plus_4_d_f_bytes_a_layer():
    # 2 (8 * 9 + 4 * 15) = 2 * 132
    assert SMALL.weight_bytes == 264


def test_kv_cache_is_4_d_bytes_a_layer_and_token():
    # 4 * 2 * 3
    assert SMALL.kv_bytes_per_token == 24


def test_prefill_flops_by_hand():
    # 2 (6*7*9 + 4*49*3 + 2*7*9 + 4*7*3*5) = 2 (378 + 588 + 126 + 420)
    assert SMALL.prefill_flops(7) == 3024


def test_decode_flops_by_hand():
    # 2 * 3 tokens * (6*9 + 4 (7 + 4/2) 3 + 2*9 + 4*15) = 6 (54 + 108 + 18 + 60)
    assert SMALL.decode_flops(7, 4) == 1440


def test_an_odd_output_length_has_whole_decode_flops():
    # 2 * 2 tokens * (54 + 4 (7 + 3/2) 3 + 18 + 60) = 4 * 234
    assert SMALL.decode_flops(7, 3) == 936


def test_the_first_token_comes_from_the_first_stage_alone():
    assert SMALL.decode_flops(7, 1) == 0
    assert SMALL.request_flops(7, 1) == 3024


def test_a_request_costs_both_stages():
    assert SMALL.request_flops(7, 4) == 3024 + 1440


@pytest.mark.parametrize(("s", "n", "flops"), [(1, 1, 16), (1, 2, 36), (2, 1, 40), (2, 2, 64)])
def test_costs_of_the_unit_model_are_those_that_other_tests_count_with(s, n, flops):
    assert UNIT.request_flops(s, n) == 12 * s + 4 * s**2 + (n - 1) * (12 + 4 * s + 2 * n) == flops
    assert (UNIT.weight_bytes, UNIT.kv_bytes_per_token) == (12, 4)


def test_bloom_3b_keeps_307200_bytes_of_cache_a_token():
    assert BLOOM_3B.kv_bytes_per_token == 307_200


@pytest.mark.parametrize(
    ("shape", "weight_bytes"),
    [
        ((30, 2560, 10240), 4_718_592_000),  # BLOOM-3B: 30 (8 * 2560^2 + 4 * 2560 * 10240)
        ((30, 4096, 16384), 12_079_595_520),  # BLOOM-7.1B
        ((40, 5120, 20480), 25_165_824_000),  # OPT-13B: 12.6 of its 12.9 billion parameters are in layers
    ],
)
def test_weights_of_published_models(shape, weight_bytes):
    assert Llm(*shape).weight_bytes == weight_bytes


def test_a_token_costs_two_flops_a_parameter_beside_attention():
    parameters = BLOOM_3B.weight_bytes // 2
    attention = 4 * BLOOM_3B.layers * BLOOM_3B.hidden_size
    assert BLOOM_3B.prefill_flops(1) - attention == 2 * parameters


@steady
@given(st.tuples(*[st.integers(1, 200)] * 5))
def test_decode_flops_are_those_of_each_later_token_summed(numbers):
    layers, d, f, s, n = numbers
    assert Llm(layers, d, f).request_flops(s, n) == request_flops(layers, d, f, s, n)


def test_arrays_of_lengths_cost_the_same_as_single_lengths():
    s, n = np.array([128, 512, 37]), np.array([512, 1, 256])
    expected = [BLOOM_3B.request_flops(a, b) for a, b in zip(s.tolist(), n.tolist(), strict=True)]
    assert BLOOM_3B.request_flops(s, n).tolist() == expected


def test_flops_of_a_large_batch_stay_below_what_float64_counts_exactly():
    assert 100 * Llm(40, 5120, 20480).request_flops(512, 512) < 2**53


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "30"])
@pytest.mark.parametrize("key", ["hidden_size", "ffn_size"])
def test_a_shape_that_is_no_whole_number_above_zero_is_refused_by_name(key, wrong):
    with pytest.raises(InputError, match=rf"^{key}: found .*, expected a whole number at least 1"):
        Llm(**{"layers": 30, "hidden_size": 2560, "ffn_size": 10240} | {key: wrong})
