"""Adaptive layer tuning beside serving: what tuning a window of layers takes of a node.

EDGE-LLM (DAC 2024) tunes a random window of consecutive layers in each step. The forward pass leaves through
an exit behind the window, and backpropagation ends at its first layer, so that activations, gradients and
states of the optimizer exist for the window alone.
"""

from __future__ import annotations

from edgebatch.model.llm import Llm
from edgebatch.schema import Checked, integer, real

GRADIENT_BYTES = 2
"""Bytes of the gradient of a tuned weight, at 16 bits."""

MOMENT_BYTES = 8
"""Bytes of the two moments that Adam keeps of a tuned weight, at 32 bits each."""


class Tuning(Checked):
    """Steps of tuning that run beside serving.

    Attributes
    ----------
    window_layers
        Layers that a step tunes; as many as the model has for tuning without a window.
    sequences, sequence_tokens
        Sequences of a step, and tokens of each.
    steps_per_s
        Steps of tuning per second of the node's time.
    adapter_rank
        Rank of the adapters that are tuned; 0 where all weights of the window are.

    Notes
    -----
    Chosen:

    - Every window is as likely as any other, so that in the mean (L + w) / 2 layers run forward.
    - The backward pass takes twice the FLOPs of the forward pass through the window, or as many where
      adapters alone are tuned.
    - Activations are kept at 16 bits: the inputs of attention and of the feed-forward network, queries, keys,
      values, what attention yields, and m vectors of width f within a feed-forward network of m matrices.
    - The output layer serves every exit and is not tuned.
    """

    window_layers: int = integer(at_least=1)
    sequences: int = integer(at_least=1)
    sequence_tokens: int = integer(at_least=1)
    steps_per_s: float = real(at_least=0)
    adapter_rank: int = integer(at_least=0, default=0)

    def memory_bytes(self, llm: Llm) -> float:
        """Memory of a step beside the model: tuned weights' gradients and moments, activations, logits."""
        tuned = llm.layer_weights
        if self.adapter_rank:
            tuned = round(sum(llm.adapter_reads(self.adapter_rank))) // (2 * llm.layers)
        inputs = 2 * llm.hidden_size + 2 * llm.query_size + 2 * llm.kv_size
        kept = inputs + (llm.ffn_matrices * llm.ffn_size) * llm.active_experts
        tokens = self.sequences * self.sequence_tokens
        states_bytes = self.window_layers * tuned * (GRADIENT_BYTES + MOMENT_BYTES)
        return float(states_bytes + 2 * tokens * (self.window_layers * kept + llm.vocabulary))

    def step_flops(self, llm: Llm) -> float:
        """FLOPs of a step, in the mean over the windows."""
        output = 2 * llm.output_weights
        layer = (llm.prefill_flops(self.sequence_tokens) - output) / llm.layers
        backward = 1 if self.adapter_rank else 2
        layers = (llm.layers + self.window_layers) / 2 + backward * self.window_layers
        return self.sequences * (layers * layer + 2 * self.sequence_tokens * output)
