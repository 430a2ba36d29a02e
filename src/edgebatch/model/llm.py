"""What one request costs in a decoder-only LLM: weights, KV cache and FLOPs, at 16 bits."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from edgebatch.schema import Checked, integer

Tokens = TypeVar("Tokens", int, np.ndarray)


class Llm(Checked):
    """Shape of a decoder-only transformer with multi-head attention.

    Attributes
    ----------
    layers
        Number of decoder layers, L.
    hidden_size
        Model width, d.
    ffn_size
        Width of the feed-forward network, f.

    Notes
    -----
    Embeddings, norms and biases are left out, as in Section II of paper/main.tex. Every figure is a
    whole number below 2**53 for any published model, so that sums of them are exact in float64.
    """

    layers: int = integer(at_least=1)
    hidden_size: int = integer(at_least=1)
    ffn_size: int = integer(at_least=1)

    @property
    def weight_bytes(self) -> int:
        """Bytes of the weights at 16 bits: equation (5)."""
        d, f = self.hidden_size, self.ffn_size
        return self.layers * (8 * d * d + 4 * d * f)

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of keys and values that one token leaves in the cache at 16 bits: equation (6)."""
        return 4 * self.layers * self.hidden_size

    def prefill_flops(self, prompt_tokens: Tokens) -> Tokens:
        """FLOPs of the first stage, for a prompt padded to `prompt_tokens`: equation (7)."""
        s, d, f = _wide(prompt_tokens), self.hidden_size, self.ffn_size
        return self.layers * (8 * s * d * d + 4 * s * s * d + 4 * s * d * f)

    def decode_flops(self, prompt_tokens: Tokens, output_tokens: Tokens) -> Tokens:
        """FLOPs of all later tokens, after a prompt padded to `prompt_tokens`: equation (8)."""
        s, n, d, f = _wide(prompt_tokens), _wide(output_tokens), self.hidden_size, self.ffn_size
        return self.layers * (n - 1) * (8 * d * d + (4 * s + 2 * n) * d + 4 * d * f)

    def request_flops(self, prompt_tokens: Tokens, output_tokens: Tokens) -> Tokens:
        """FLOPs of a whole request: the sum of both stages."""
        return self.prefill_flops(prompt_tokens) + self.decode_flops(prompt_tokens, output_tokens)


def _wide(tokens: Tokens) -> Tokens:
    """Counts in a type that their products do not overflow: Python's own, or float64 in arrays."""
    return tokens.astype(np.float64) if isinstance(tokens, np.ndarray) else tokens
