"""The schema of conf/quantization/ and conf/storage/, and what they stand for."""

from __future__ import annotations

from dataclasses import field

from edgebatch.errors import InputError, one_of
from edgebatch.model.quantization import Quantization, accuracy_from_perplexity
from edgebatch.model.storage import Storage
from edgebatch.schema import Checked, Range, choice, integer, real


class Baseline(Checked):
    """conf/fp16_perplexity/: perplexities before quantization, on one data set, by model."""

    dataset: str
    perplexity: dict[str, float]


class Coded(Checked):
    """What a coder makes of quantized weights.

    Attributes
    ----------
    ratio
        How many times smaller the weights are.
    device_decoder_bytes_per_s
        Bytes of weights that a device decodes per second.
    """

    ratio: float = real(at_least=0.5)
    device_decoder_bytes_per_s: float = real(at_least=1)


class QuantizationConfig(Checked):
    """conf/quantization/: bits, speed and perplexities of a technique, by model.

    Attributes
    ----------
    coded
        By coder; a technique whose weights were never coded has none.
    """

    label: str
    weight_bits: float = real(above=0, at_most=16)
    activation_bits: float = real(above=0, at_most=16)
    kv_bits: float = real(above=0, at_most=16)
    speedup: float = real(above=0)
    fp16: Baseline
    perplexity: dict[str, float]
    weight_bits_by_layer: tuple[float, ...] = real(above=0, at_most=16, default=())
    pruned_share: float = real(at_least=0, at_most=1, default=0.0)
    sparse_share: float = real(at_least=0, at_most=1, default=0.0)
    sparse_bits: float = real(above=0, at_most=64, default=48.0)
    adapter_rank: int = integer(at_least=0, default=0)
    coded: dict[str, Coded] = field(default_factory=dict)


class StorageConfig(Checked):
    """conf/storage/: sequential reading of one device and its capacity; None of both without storage."""

    label: str
    device_speed_bytes_per_s: float | None = real(at_least=1)
    capacity_bytes: float | None = real(above=0)


PLAIN = "plain"
"""Coder of weights on storage that are as they are in memory."""


class Offload(Checked):
    """The part of the decoder layers' weights that stays on storage, and how it is coded there."""

    share: float = real(at_least=0, at_most=1)
    coder: str


class AccuracyMap(Checked):
    """The form of f(dPPL)."""

    form: str = choice("perplexity_ratio", "exponential")
    decay: float = real(above=0)


PERPLEXITY = Range(at_least=1)


def build_storage(
    config: StorageConfig, offload: Offload, coded: dict[str, Coded], devices: int
) -> Storage | None:
    """Storage of all devices together; None where nothing stays there."""
    speed, capacity = config.device_speed_bytes_per_s, config.capacity_bytes
    if offload.coder != PLAIN and offload.coder not in coded:
        expected = one_of(offload.coder, (PLAIN, *coded)) + ", which the technique was measured with"
        raise InputError("offload.coder", repr(offload.coder), expected)
    if offload.share == 0:
        return None
    if speed is None:
        raise InputError("offload.share", offload.share, "0, or a storage other than none")
    ratio, decoder = 1.0, None
    if offload.coder != PLAIN:
        ratio = coded[offload.coder].ratio
        decoder = devices * coded[offload.coder].device_decoder_bytes_per_s
    held = None if capacity is None else devices * capacity
    return Storage(offload.share, devices * speed, ratio, decoder, held)


def build_quantization(
    config: QuantizationConfig, accuracy_map: AccuracyMap, weight_only_speedup: bool, model: str
) -> Quantization:
    """The quantized `model`; weights alone speed up arithmetic only if `weight_only_speedup`."""
    sped_up = weight_only_speedup or config.activation_bits < 16
    speedup = config.speedup if sped_up else 1.0
    accuracy = _accuracy(config, accuracy_map, model)
    try:
        return Quantization(
            config.weight_bits,
            config.kv_bits,
            1 / speedup,
            accuracy,
            config.weight_bits_by_layer,
            config.pruned_share,
            config.sparse_share,
            config.sparse_bits,
            config.adapter_rank,
        )
    except InputError as error:
        raise error.at(prefix="quantization") from None


def _accuracy(config: QuantizationConfig, accuracy_map: AccuracyMap, model: str) -> float:
    """Accuracy that the quantized model offers; 1 where nothing is quantized, whatever its perplexity."""
    as_it_was = not (config.weight_bits_by_layer or config.pruned_share)
    if config.weight_bits == config.activation_bits == config.kv_bits == 16 and as_it_was:
        return 1.0
    for key, perplexity in (("perplexity", config.perplexity), ("fp16.perplexity", config.fp16.perplexity)):
        if model not in perplexity:
            known = ", ".join(sorted(perplexity)) or "none"
            expected = f"a perplexity of {model} on {config.fp16.dataset} (known: {known})"
            raise InputError(f"quantization.{key}.{model}", "nothing", expected)
        if perplexity[model] not in PERPLEXITY:
            raise InputError(f"quantization.{key}.{model}", perplexity[model], str(PERPLEXITY))
    return accuracy_from_perplexity(
        config.fp16.perplexity[model], config.perplexity[model], accuracy_map.form, accuracy_map.decay
    )
