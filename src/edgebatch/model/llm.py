"""What one request costs in a transformer: weights, KV cache and FLOPs, at 16 bits."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple, TypeVar

import numpy as np

from edgebatch.errors import InputError
from edgebatch.schema import Checked, integer

Tokens = TypeVar("Tokens", int, np.ndarray)


class WeightReads(NamedTuple):
    """Bytes of weights that a stage reads from memory.

    Attributes
    ----------
    dense_bytes
        Read whatever the tokens are.
    expert_bytes
        Of all experts together; tokens read those that they are routed to.
    """

    dense_bytes: float
    expert_bytes: float


class Llm(Checked):
    """Shape of a transformer: decoder only, encoder only, or encoder and decoder.

    Attributes
    ----------
    layers
        Number of decoder layers, L; 0 for an encoder-only model.
    hidden_size
        Model width, d.
    ffn_size
        Width of the feed-forward network, f; with experts, of each of them.
    query_heads, kv_heads
        Number of query heads, H, and of key/value heads, G. H = G is multi-head attention, G = 1 multi-query
        attention, and anything between grouped-query attention.
    head_size
        Size of a head, h; None for d / H.
    ffn_matrices
        Weight matrices of a feed-forward network: 2, or 3 where it is gated.
    experts, active_experts
        Number of experts in each layer, E, and of those that work on a token, k.
    vocabulary
        Number of tokens that have an embedding, V; 0 leaves embeddings out.
    tied_embeddings
        Whether the output layer shares the weights of the input embedding.
    encoder_layers
        Number of encoder layers; 0 for a decoder-only model.

    Notes
    -----
    Norms, biases and learned positions are left out. The nominal shape (one head of size d, two matrices,
    one expert, no vocabulary, no encoder) is that of Section II of paper/main.tex, which leaves out
    embeddings too. A decoder beside an encoder attends to the encoder's s' tokens, and to its own; the
    token that starts its output is not counted. Every figure is a whole number below 2**53 for any
    published model, so that sums of them are exact in float64.
    """

    layers: int = integer(at_least=0)
    hidden_size: int = integer(at_least=1)
    ffn_size: int = integer(at_least=1)
    query_heads: int = integer(at_least=1, default=1)
    kv_heads: int = integer(at_least=1, default=1)
    head_size: int | None = None
    ffn_matrices: int = integer(at_least=2, at_most=3, default=2)
    experts: int = integer(at_least=1, default=1)
    active_experts: int = integer(at_least=1, default=1)
    vocabulary: int = integer(at_least=0, default=0)
    tied_embeddings: bool = True
    encoder_layers: int = integer(at_least=0, default=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers + self.encoder_layers == 0:
            raise InputError("layers", 0, "a whole number at least 1, or encoder_layers at least 1")
        if self.query_heads % self.kv_heads:
            raise InputError("kv_heads", self.kv_heads, f"a divisor of query_heads, {self.query_heads}")
        if self.head_size is None and self.hidden_size % self.query_heads:
            expected = f"a divisor of hidden_size, {self.hidden_size}, or a head_size"
            raise InputError("query_heads", self.query_heads, expected)
        if self.head_size is not None and self.head_size < 1:
            raise InputError("head_size", self.head_size, "nothing, or a whole number at least 1")
        if self.active_experts > self.experts:
            raise InputError("active_experts", self.active_experts, f"at most experts, {self.experts}")

    @cached_property
    def query_size(self) -> int:
        """Width of all query heads together, H h."""
        return self.query_heads * (self.head_size or self.hidden_size // self.query_heads)

    @cached_property
    def kv_size(self) -> int:
        """Width of all key heads together, G h; that of the value heads is the same."""
        return self.query_size // self.query_heads * self.kv_heads

    @cached_property
    def parameters(self) -> int:
        """Number of weights; with the nominal shape half of equation (5), which counts bytes."""
        crossed = self._cross_weights + self._cross_kv_weights
        decoder = self.layers * (self._attention_weights + crossed + self._ffn_weights)
        encoder = self.encoder_layers * (self._attention_weights + self._ffn_weights)
        embeddings = self.vocabulary * self.hidden_size * (1 if self.tied_embeddings else 2)
        return decoder + encoder + embeddings

    @property
    def output_weights(self) -> int:
        """Weights of the output layer, which yields the tokens."""
        return self.vocabulary * self.hidden_size if self.layers else 0

    @property
    def layer_weights(self) -> int:
        """Weights of a layer of a decoder-only model, all experts included."""
        return self._attention_weights + self._ffn_weights

    @property
    def active_layer_weights(self) -> int:
        """Weights of such a layer that work on a token; the router is left out, as in all FLOPs."""
        return self._attention_weights + self._active_ffn_weights

    def adapter_reads(self, rank: int) -> WeightReads:
        """Bytes of adapters at 16 bits: the product of two matrices beside each matrix of a decoder layer."""
        attention, ffn = self._adapter_weights(rank)
        if self.experts == 1:
            return WeightReads(2 * self.layers * (attention + ffn), 0)
        return WeightReads(2 * self.layers * attention, 2 * self.layers * ffn * self.experts)

    def adapter_flops(self, rank: int) -> int:
        """FLOPs of adapters for each token."""
        attention, ffn = self._adapter_weights(rank)
        return 2 * self.layers * (attention + ffn * self.active_experts)

    def _adapter_weights(self, rank: int) -> tuple[int, int]:
        """Weights of the adapters of a layer: of its attention, and of one feed-forward network."""
        attention = 2 * (2 * self.hidden_size + self.query_size + self.kv_size)
        return rank * attention, rank * self.ffn_matrices * (self.hidden_size + self.ffn_size)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights at 16 bits: equation (5)."""
        return 2 * self.parameters

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of keys and values that one token leaves in the cache at 16 bits: equation (6).

        A prompt token of a model with encoder and decoder leaves as much, for cross-attention.
        """
        return 4 * self.layers * self.kv_size

    @property
    def missed_by_token(self) -> float:
        """Probability that a token is not routed to a given expert, if all are equally likely."""
        return 1 - self.active_experts / self.experts

    @property
    def prefill_reads(self) -> WeightReads:
        """Weights that the first stage reads."""
        if self.encoder_layers == 0:
            return self.decode_reads
        dense, expert = self._reads(self.encoder_layers)
        if self.layers == 0:
            return WeightReads(dense, expert)
        decoder = self.decode_reads
        crossed = 2 * self.layers * self._cross_kv_weights
        return WeightReads(dense + decoder.dense_bytes + crossed, expert + decoder.expert_bytes)

    @property
    def decode_reads(self) -> WeightReads:
        """Weights that each later step reads; of the embeddings, the output layer alone."""
        dense, expert = self._reads(self.layers)
        crossed = 2 * self.layers * self._cross_weights
        return WeightReads(dense + crossed + 2 * self.output_weights, expert)

    @cached_property
    def token_flops(self) -> int:
        """FLOPs of generating a token after the first, whatever its context."""
        weights = self._attention_weights + self._cross_weights + self._active_ffn_weights
        return 2 * (self.layers * weights + self.output_weights)

    @cached_property
    def context_flops(self) -> int:
        """FLOPs of generating a token, for each token of its context."""
        return 4 * self.layers * self.query_size

    def prefill_flops(self, prompt_tokens: Tokens) -> Tokens:
        """FLOPs of the first stage, for a prompt padded to `prompt_tokens`: equation (7)."""
        s = _wide(prompt_tokens)
        linear, square, constant = self._prefill_terms
        return s * linear + s * s * square + constant

    def decode_flops(self, prompt_tokens: Tokens, output_tokens: Tokens) -> Tokens:
        """FLOPs of all later tokens, after a prompt padded to `prompt_tokens`: equation (8)."""
        s, n = _wide(prompt_tokens), _wide(output_tokens)
        # the contexts s + 1 to s + n - 1 have s + n / 2 tokens in the mean
        return (n - 1) * (self.token_flops + (2 * s + n) * (self.context_flops // 2))

    def request_flops(self, prompt_tokens: Tokens, output_tokens: Tokens) -> Tokens:
        """FLOPs of a whole request: the sum of both stages."""
        return self.prefill_flops(prompt_tokens) + self.decode_flops(prompt_tokens, output_tokens)

    @cached_property
    def _prefill_terms(self) -> tuple[int, int, int]:
        """FLOPs of the first stage: a token, a pair of tokens, and whatever the prompt."""
        output = 2 * self.output_weights
        if self.encoder_layers == 0:
            token = 2 * self.layers * (self._attention_weights + self._active_ffn_weights)
            return token, 4 * self.layers * self.query_size, output
        token = 2 * self.encoder_layers * (self._attention_weights + self._active_ffn_weights)
        token += 2 * self.layers * self._cross_kv_weights + self.context_flops
        return token, 4 * self.encoder_layers * self.query_size, self.token_flops

    def _reads(self, layers: int) -> WeightReads:
        """Bytes of attention and feed-forward networks of `layers` layers."""
        dense, expert = self._attention_weights, self._ffn_weights
        if self.experts == 1:
            return WeightReads(2 * layers * (dense + expert), 0)
        return WeightReads(
            2 * layers * (dense + self._router_weights), 2 * layers * (expert - self._router_weights)
        )

    @property
    def _attention_weights(self) -> int:
        return 2 * self.hidden_size * (self.query_size + self.kv_size)

    @property
    def _cross_weights(self) -> int:
        """Cross-attention weights of a layer that each generated token passes: queries and output."""
        return 2 * self.hidden_size * self.query_size if self.encoder_layers else 0

    @property
    def _cross_kv_weights(self) -> int:
        """Cross-attention weights of a layer that each prompt token passes: keys and values."""
        return 2 * self.hidden_size * self.kv_size if self.encoder_layers else 0

    @property
    def _router_weights(self) -> int:
        return self.hidden_size * self.experts if self.experts > 1 else 0

    @property
    def _ffn_weights(self) -> int:
        return self.ffn_matrices * self.hidden_size * self.ffn_size * self.experts + self._router_weights

    @property
    def _active_ffn_weights(self) -> int:
        return self.ffn_matrices * self.hidden_size * self.ffn_size * self.active_experts


def _wide(tokens: Tokens) -> Tokens:
    """Counts in a type that their products do not overflow: Python's own, or float64 in arrays."""
    return tokens.astype(np.float64) if isinstance(tokens, np.ndarray) else tokens
