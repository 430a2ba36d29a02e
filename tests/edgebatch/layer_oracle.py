"""What decoder layers take, matrix by matrix and layer by layer: techniques, storage, tuning.

Shares no code with the package. For models without an encoder.
"""

from __future__ import annotations

from statistics import mean
from typing import Any, NamedTuple

from edgebatch import Llm, System
from edgebatch.model.roofline import Roofline


class Matrix(NamedTuple):
    """A weight matrix of a layer: its sides, how many are held, and work on a token, and if it is routed."""

    inputs: int
    outputs: int
    held: int = 1
    active: int = 1
    routed: bool = False

    @property
    def size(self) -> int:
        return self.inputs * self.outputs


def matrices(llm: Llm) -> list[Matrix]:
    """The matrices of a layer with adapters, and the router, which has none, last if there is one."""
    head = llm.head_size or llm.hidden_size // llm.query_heads
    d, queries, keys = llm.hidden_size, llm.query_heads * head, llm.kv_heads * head
    attention = [Matrix(d, queries), Matrix(d, keys), Matrix(d, keys), Matrix(queries, d)]
    sides = [(d, llm.ffn_size)] * (llm.ffn_matrices - 1) + [(llm.ffn_size, d)]
    ffn = [Matrix(*side, llm.experts, llm.active_experts, llm.experts > 1) for side in sides]
    return attention + ffn + ([Matrix(d, llm.experts, active=0)] if llm.experts > 1 else [])


class Layers:
    """The decoder layers of a system."""

    def __init__(self, system: System) -> None:
        self.system, self.llm, self.quantization = system, system.llm, system.quantization
        self.matrices = matrices(system.llm)
        bits = self.quantization.weight_bits_by_layer
        self.bits = bits if bits else [self.quantization.weight_bits] * self.llm.layers

    def weight_bytes(self, hit: Any = 1) -> Any:
        """Bytes of all layers, `hit` being the share of the experts that counts."""
        return sum(self._layer_bytes(bits, hit) for bits in self.bits)

    def _layer_bytes(self, bits: float, hit: Any = 1) -> Any:
        total: Any = 0
        for matrix in self.matrices:
            weights = matrix.size * matrix.held * (hit if matrix.routed else 1)
            total = total + weights * bits / 8
            total = total + weights * self.quantization.sparse_share * self.quantization.sparse_bits / 8
        return total

    def adapter_bytes(self, hit: Any = 1) -> Any:
        total: Any = 0
        for matrix in self.matrices:
            if matrix.active:
                pair = self.quantization.adapter_rank * (matrix.inputs + matrix.outputs)
                total = total + 2 * pair * matrix.held * (hit if matrix.routed else 1)
        return self.llm.layers * total

    def read_bytes(self, tokens: Any) -> Any:
        """Bytes of weights and adapters that `tokens` tokens read in a step."""
        hit = 1 - (1 - self.llm.active_experts / self.llm.experts) ** tokens
        output = self.llm.hidden_size * self.llm.vocabulary * self.quantization.weight_bits / 8
        return self.weight_bytes(hit) + self.adapter_bytes(hit) + output

    def more_flops(self) -> int:
        """FLOPs of a token beyond those of the plain matrices, whole ones."""
        total = 0.0
        for matrix in self.matrices:
            per_weight = self.quantization.sparse_share - self.quantization.pruned_share
            total += 2 * matrix.size * matrix.active * per_weight
            pair = self.quantization.adapter_rank * (matrix.inputs + matrix.outputs)
            total += 2 * pair * matrix.active
        return round(self.llm.layers * total)

    def load_s(self) -> float:
        """Loading of what stays on storage, in each step."""
        storage = self.system.storage
        if storage is None:
            return 0.0
        loaded = storage.share * self.weight_bytes()
        decoding_s = loaded / storage.decoder_bytes_per_s if storage.decoder_bytes_per_s else 0.0
        return max(loaded / (storage.ratio * storage.speed_bytes_per_s), decoding_s)

    def resident_bytes(self) -> float:
        """Bytes in memory beside the cache of the requests."""
        embeddings = self.llm.hidden_size * self.llm.vocabulary * (1 if self.llm.tied_embeddings else 2)
        total = embeddings * self.quantization.weight_bits / 8 + self.adapter_bytes()
        weights = self.weight_bytes()
        if self.system.storage is not None:
            loaded = self.system.storage.share * weights
            weights += min(0, max(map(self._layer_bytes, self.bits)) - loaded)
        return total + weights + self.tuning_bytes()

    def tuning_bytes(self) -> float:
        tuning = self.system.tuning
        if tuning is None:
            return 0.0
        trained = sum(matrix.size * matrix.held for matrix in self.matrices)
        if tuning.adapter_rank:
            pairs = [(m.inputs + m.outputs) * m.held for m in self.matrices if m.active]
            trained = tuning.adapter_rank * sum(pairs)
        d, queries, keys = self.llm.hidden_size, self.matrices[0].outputs, self.matrices[1].outputs
        attention = d + queries + keys + keys + queries
        ffn = d + self.llm.ffn_matrices * self.llm.ffn_size * self.llm.active_experts
        tokens = tuning.sequences * tuning.sequence_tokens
        window = trained * (2 + 4 + 4) + tokens * 2 * (attention + ffn)
        return tuning.window_layers * window + tokens * 2 * self.llm.vocabulary

    def serving_share(self) -> float:
        """Share of its time that the node serves; the windows are counted one by one."""
        tuning = self.system.tuning
        if tuning is None:
            return 1.0
        s, queries = tuning.sequence_tokens, self.matrices[0].outputs
        layer = 2 * s * sum(m.size * m.active for m in self.matrices) + 2 * 2 * s * s * queries
        output = 2 * s * self.llm.hidden_size * self.llm.vocabulary
        windows = range(self.llm.layers - tuning.window_layers + 1)
        forward = mean((first + tuning.window_layers) * layer + output for first in windows)
        backward = tuning.window_layers * layer * (1 if tuning.adapter_rank else 2) + output
        flops_per_s = self.system.edge_node.flops
        if isinstance(self.system.cost, Roofline):
            flops_per_s *= self.system.cost.prefill_flops_share * self.system.cost.pooled_share
        return 1 - tuning.steps_per_s * tuning.sequences * (forward + backward) / flops_per_s
