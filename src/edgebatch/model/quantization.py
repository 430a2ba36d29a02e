"""What quantization saves and what it costs in accuracy."""

from __future__ import annotations

import math

from edgebatch.errors import InputError, one_of
from edgebatch.model.llm import Llm, WeightReads
from edgebatch.schema import Checked, integer, real


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
    weight_bits_by_layer
        Bits of a weight of each decoder layer, shape (layers,), where layers differ; `weight_bits` is then
        that of the embeddings.
    pruned_share
        Share of the layers' weights that are pruned: no token multiplies them. Bits are counted as they are
        stored, so what pruning saves of these is in `weight_bits`.
    sparse_share, sparse_bits
        Share of the layers' weights that stand beside the others in a sparse matrix, and the bits of each,
        its index included. They come on top of the others, in bytes and in arithmetic (dense-and-sparse).
    adapter_rank
        Rank of the 16-bit adapter beside each matrix of the decoder layers; 0 for none.
    """

    weight_bits: float = real(above=0, at_most=16)
    kv_bits: float = real(above=0, at_most=16)
    compute_factor: float = real(above=0)
    accuracy: float = real(at_least=0, at_most=1)
    weight_bits_by_layer: tuple[float, ...] = real(above=0, at_most=16, default=())
    pruned_share: float = real(at_least=0, at_most=1, default=0.0)
    sparse_share: float = real(at_least=0, at_most=1, default=0.0)
    sparse_bits: float = real(above=0, at_most=64, default=48.0)
    adapter_rank: int = integer(at_least=0, default=0)

    @property
    def tells_layers(self) -> bool:
        """Whether it has more to say of the decoder layers than the bits that all weights have."""
        return bool(self.weight_bits_by_layer or self.pruned_share or self.sparse_share or self.adapter_rank)

    @property
    def layer_bits(self) -> float:
        """Mean bits of a weight of the decoder layers, the sparse ones beside it included."""
        by_layer = self.weight_bits_by_layer
        dense = math.fsum(by_layer) / len(by_layer) if by_layer else self.weight_bits
        return dense + self.sparse_share * self.sparse_bits

    def weight_bytes(self, llm: Llm) -> float:
        """Bytes of all weights of a model, adapters included."""
        layers = 2 * llm.layers * llm.layer_weights
        return self._scaled(layers, llm.weight_bytes - layers) + sum(llm.adapter_reads(self.adapter_rank))

    def layer_bytes(self, llm: Llm) -> float:
        """Bytes of the weights of all layers of a decoder-only model, without adapters."""
        return self._scaled(2 * llm.layers * llm.layer_weights, 0)

    def largest_layer_bytes(self, llm: Llm) -> float:
        """Bytes of the weights of the layer with the most bits, without adapters."""
        bits = max(self.weight_bits_by_layer, default=self.weight_bits) + self.sparse_share * self.sparse_bits
        return llm.layer_weights * bits / 8

    def reads(self, llm: Llm, at_16: WeightReads) -> WeightReads:
        """Bytes that a stage reads of weights that are `at_16` at 16 bits, adapters included."""
        output, adapters = 2 * llm.output_weights, llm.adapter_reads(self.adapter_rank)
        dense = self._scaled(at_16.dense_bytes - output, output) + adapters.dense_bytes
        return WeightReads(dense, self._scaled(at_16.expert_bytes, 0) + adapters.expert_bytes)

    def added_flops(self, llm: Llm) -> int:
        """FLOPs of each token beyond those of the model at 16 bits; below 0 where pruning saves more.

        Rounded to a whole number, so that sums of FLOPs stay exact.
        """
        more = 2 * llm.layers * llm.active_layer_weights * (self.sparse_share - self.pruned_share)
        return round(more) + llm.adapter_flops(self.adapter_rank)

    def _scaled(self, layers_at_16: float, others_at_16: float) -> float:
        """Bytes of weights of the layers and of others, from their bytes at 16 bits."""
        if self.layer_bits == self.weight_bits:  # one product: a sum of two rounds in another way
            return (layers_at_16 + others_at_16) * self.weight_bits / 16
        return (layers_at_16 * self.layer_bits + others_at_16 * self.weight_bits) / 16


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
