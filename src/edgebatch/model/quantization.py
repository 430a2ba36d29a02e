"""What quantization saves and what it costs in accuracy."""

from __future__ import annotations

import math

from edgebatch.errors import InputError, one_of
from edgebatch.schema import Checked, real


class Quantization(Checked):
    """A quantized model, as the scheduler sees it.

    Attributes
    ----------
    weight_bits, kv_bits
        Bits of a weight and of an entry of the KV cache; bytes scale with bits / 16.
    compute_factor
        Factor on the compute time, beta; 1 without quantization.
    accuracy
        Accuracy offered, f(dPPL), in [0, 1]; a request that requires more is not served.
    """

    weight_bits: float = real(above=0, at_most=16)
    kv_bits: float = real(above=0, at_most=16)
    compute_factor: float = real(above=0)
    accuracy: float = real(at_least=0, at_most=1)


def accuracy_from_perplexity(fp16: float, quantized: float, form: str, decay: float | None = None) -> float:
    """Accuracy f(dPPL) offered by a quantized model: equation (9).

    Parameters
    ----------
    fp16, quantized
        Perplexity on one data set before and after quantization.
    form
        ``perplexity_ratio``: fp16 / quantized, the ratio of the geometric-mean token
        probabilities; ``exponential``: exp(-decay * (quantized - fp16)).
    decay
        Rate of the exponential form, per unit of perplexity.

    Returns
    -------
    float
        In [0, 1]; 1 where quantization does not raise the perplexity.
    """
    if form == "perplexity_ratio":
        return min(1.0, fp16 / quantized)
    if form == "exponential":
        if decay is None:
            raise InputError("decay", "nothing", "a number above 0 for the exponential form")
        return math.exp(-decay * max(0.0, quantized - fp16))
    raise InputError("form", repr(form), one_of(form, ("perplexity_ratio", "exponential")))
