import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import InputError, Llm
from tests.edgebatch.instances import BLOOM_3B, UNIT, steady
from tests.edgebatch.oracle import Shape, request_flops

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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"layers": 0},
            r"^layers: found 0, expected a whole number at least 1, or encoder_layers at least 1",
        ),
        ({"query_heads": 8, "kv_heads": 3}, r"^kv_heads: found 3, expected a divisor of query_heads, 8"),
        (
            {"query_heads": 7},
            r"^query_heads: found 7, expected a divisor of hidden_size, 2560, or a head_size",
        ),
        ({"head_size": 0}, r"^head_size: found 0, expected nothing, or a whole number at least 1"),
        ({"experts": 4, "active_experts": 5}, r"^active_experts: found 5, expected at most experts, 4"),
        ({"ffn_matrices": 4}, r"^ffn_matrices: found 4, expected a whole number at least 2 and at most 3"),
    ],
)
def test_a_shape_that_no_transformer_has_is_refused_by_name(wrong, message):
    with pytest.raises(InputError, match=message):
        Llm(**{"layers": 30, "hidden_size": 2560, "ffn_size": 10240} | wrong)


def test_llama_3_1_8b_by_hand():
    llm = Llm(
        32, 4096, 14336, query_heads=32, kv_heads=8, ffn_matrices=3, vocabulary=128256, tied_embeddings=False
    )
    # 32 (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 14336) + 2 * 128256 * 4096
    assert llm.parameters == 8_029_995_008
    # all but the input embedding: 8029995008 - 128256 * 4096
    assert llm.token_flops == 2 * 7_504_658_432
    assert llm.decode_reads == (2 * 7_504_658_432, 0)


def test_mixtral_reads_experts_by_chance_and_computes_with_two():
    llm = Llm(32, 4096, 14336, 32, 8, ffn_matrices=3, experts=8, active_experts=2, vocabulary=32000)
    assert llm.decode_reads.expert_bytes == 2 * 32 * 8 * 3 * 4096 * 14336
    assert llm.missed_by_token == 0.75
    # attention, two experts and the output layer
    assert llm.token_flops == 2 * (32 * (2 * 4096 * 5120 + 2 * 3 * 4096 * 14336) + 32000 * 4096)


def test_an_encoder_has_one_pass_no_cache_and_no_output_layer():
    llm = Llm(0, 1024, 4096, vocabulary=30522, encoder_layers=24)
    assert llm.kv_bytes_per_token == 0
    assert llm.prefill_flops(10) == 24 * (10 * 2 * 12 * 1024**2 + 4 * 100 * 1024)
    assert llm.prefill_reads == (24 * 2 * 12 * 1024**2, 0)


@st.composite
def shapes(draw):
    """Any transformer: heads, gates, experts, vocabulary, and layers of either kind."""
    kv_heads, group, head = (draw(st.integers(1, 4)) for _ in range(3))
    layers, encoder_layers = draw(st.sampled_from([(1, 0), (3, 0), (0, 2), (2, 1), (1, 3)]))
    experts = draw(st.integers(1, 6))
    return Llm(
        layers=layers,
        hidden_size=draw(st.integers(1, 30)),
        ffn_size=draw(st.integers(1, 30)),
        query_heads=kv_heads * group,
        kv_heads=kv_heads,
        head_size=head,
        ffn_matrices=draw(st.integers(2, 3)),
        experts=experts,
        active_experts=draw(st.integers(1, experts)),
        vocabulary=draw(st.integers(0, 50)),
        tied_embeddings=draw(st.booleans()),
        encoder_layers=encoder_layers,
    )


@steady
@given(shapes(), st.integers(1, 60), st.integers(1, 40))
def test_any_transformer_costs_what_its_matrices_add_up_to(llm, s, n):
    shape = Shape(llm)
    assert llm.parameters == shape.weights()
    assert llm.prefill_flops(s) == shape.first_flops(s)
    later = sum(shape.token_flops(s + j - 1) for j in range(2, n + 1)) if llm.layers else 0
    assert llm.decode_flops(s, n) == later


@steady
@given(shapes(), st.integers(1, 50))
def test_any_transformer_reads_the_weights_that_its_tokens_are_routed_to(llm, tokens):
    shape, hit = Shape(llm), 1 - llm.missed_by_token**tokens
    first, later = (2 * shape.read_weights(tokens, first=first) for first in (True, False))
    assert llm.prefill_reads.dense_bytes + llm.prefill_reads.expert_bytes * hit == pytest.approx(first)
    assert llm.decode_reads.dense_bytes + llm.decode_reads.expert_bytes * hit == pytest.approx(later)
