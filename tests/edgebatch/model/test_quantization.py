import math

import pytest

from edgebatch import EdgeNode, InputError, Quantization, Slots, System
from edgebatch.model.quantization import accuracy_from_perplexity
from tests.edgebatch.instances import BLOOM_3B, unit_instance

SLOTS, NODE = Slots(0.25, 1.5, 0.25), EdgeNode(1e12, 1e10, 1)


def _system(**quantization) -> System:
    full = {"weight_bits": 16, "kv_bits": 16, "compute_factor": 1.0, "accuracy": 1.0}
    return System(SLOTS, BLOOM_3B, Quantization(**full | quantization), NODE)


@pytest.mark.parametrize(
    ("weight_bits", "weight_bytes"), [(16, 4_718_592_000), (8, 2_359_296_000), (4, 1_179_648_000)]
)
def test_weight_bytes_scale_with_weight_bits_over_16(weight_bits, weight_bytes):
    assert _system(weight_bits=weight_bits, kv_bits=3).weight_bytes == weight_bytes


def test_a_fractional_number_of_bits_is_a_mean_over_weights():
    # 4.25 bits: groups of 128 that share 32 bits of scale and zero
    assert _system(weight_bits=4.25).weight_bytes == 4_718_592_000 * 17 / 64


@pytest.mark.parametrize(("kv_bits", "kv_bytes"), [(16, 196_608_000), (8, 98_304_000), (4, 49_152_000)])
def test_kv_bytes_scale_with_kv_bits_over_16(kv_bits, kv_bytes):
    # 307200 bytes * (128 + 512) tokens = 196_608_000
    assert _system(kv_bits=kv_bits, weight_bits=5).kv_bytes(128, 512) == kv_bytes


def test_compute_time_scales_with_the_compute_factor():
    # 16 FLOPs at 16 FLOPS take 1 s, and 0.75 s at beta = 0.75
    quantization = Quantization(weight_bits=4, kv_bits=4, compute_factor=0.75, accuracy=1.0)
    assert unit_instance([1]).alone_s().tolist() == [1.0]
    assert unit_instance([1], quantization=quantization).alone_s().tolist() == [0.75]


def test_accuracy_is_the_ratio_of_perplexities():
    assert accuracy_from_perplexity(10.0, 12.5, "perplexity_ratio") == 0.8


def test_accuracy_decays_exponentially_with_the_rise_in_perplexity():
    # exp(-0.5 * (12 - 10)) = 1 / e
    assert accuracy_from_perplexity(10.0, 12.0, "exponential", decay=0.5) == pytest.approx(
        1 / math.e, rel=1e-15
    )


@pytest.mark.parametrize("form", ["perplexity_ratio", "exponential"])
@pytest.mark.parametrize("quantized", [10.0, 9.5])
def test_accuracy_is_1_where_perplexity_does_not_rise(form, quantized):
    assert accuracy_from_perplexity(10.0, quantized, form, decay=2.0) == 1.0


def test_the_exponential_form_without_a_decay_is_refused():
    with pytest.raises(InputError, match=r"^decay: found nothing"):
        accuracy_from_perplexity(10.0, 12.0, "exponential")


def test_an_unknown_form_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"did you mean exponential\?"):
        accuracy_from_perplexity(10.0, 12.0, "exponental")


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("weight_bits", 0),
        ("weight_bits", 16.5),
        ("kv_bits", -8),
        ("kv_bits", 32),
        ("compute_factor", 0),
        ("compute_factor", math.inf),
        ("accuracy", -0.1),
        ("accuracy", 1.1),
        ("accuracy", math.nan),
    ],
)
def test_values_out_of_range_are_refused_by_name(key, wrong):
    with pytest.raises(InputError, match=rf"^{key}: found {wrong}, expected a number"):
        _system(**{key: wrong})
