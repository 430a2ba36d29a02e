"""What an engine of continuous batching allows in a step."""

from __future__ import annotations

from edgebatch.errors import InputError
from edgebatch.model.system import System
from edgebatch.schema import LARGEST_COUNT, Checked, integer


class Limits(Checked):
    """What an engine allows in a step.

    Attributes
    ----------
    max_sequences
        Most requests that run together.
    max_step_tokens
        Most prompt tokens and output tokens of a step together.
    kv_capacity_tokens
        Room of the KV cache; None for what the weights leave of the memory.
    """

    max_sequences: int = integer(at_least=1)
    max_step_tokens: int = integer(at_least=1)
    kv_capacity_tokens: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kv_capacity_tokens is not None and self.kv_capacity_tokens < 1:
            expected = "nothing, or a whole number at least 1"
            raise InputError("kv_capacity_tokens", self.kv_capacity_tokens, expected)

    def capacity(self, system: System) -> int:
        """Tokens of KV cache on a node."""
        return cache_tokens(system) if self.kv_capacity_tokens is None else self.kv_capacity_tokens


def cache_tokens(system: System) -> int:
    """Tokens of KV cache that fit into the memory that the weights leave; 0 if these do not fit."""
    room = system.edge_node.memory_bytes - system.resident_bytes
    if system.llm.kv_bytes_per_token == 0:
        return LARGEST_COUNT if room >= 0 else 0
    return max(0, int(room // float(system.kv_bytes(0, 1))))
