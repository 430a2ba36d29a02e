"""The edge node: what does not change from epoch to epoch, and what a batch costs on it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Pace, Roofline, stall_s
from edgebatch.schema import Checked, describe, integer, real


class Slots(Checked):
    """The three parts of an epoch, in seconds."""

    uplink_s: float = real(above=0)
    compute_s: float = real(above=0)
    downlink_s: float = real(above=0)

    @property
    def epoch_s(self) -> float:
        """Length of an epoch, T_E."""
        return self.uplink_s + self.compute_s + self.downlink_s


class EdgeNode(Checked):
    """The edge server: `devices` equal devices, pooled.

    Attributes
    ----------
    flops
        FLOPS of all devices together.
    memory_bytes
        Memory of all devices together.
    devices
        How many they are.
    """

    flops: float = real(above=0)
    memory_bytes: float = real(above=0)
    devices: int = integer(at_least=1)


class System(Checked):
    """Everything about the node that does not change from epoch to epoch.

    Attributes
    ----------
    fixed_padding_tokens
        Length that every prompt is padded to; None pads to the longest prompt of the batch.
    cost
        Cost model of the compute time: ``flops``, which counts arithmetic alone, or a `Roofline`.
    """

    slots: Slots
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    fixed_padding_tokens: int | None = None
    cost: str | Roofline = "flops"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cost != "flops" and not isinstance(self.cost, Roofline):
            raise InputError("cost", describe(self.cost), "flops or a Roofline")
        if self.fixed_padding_tokens is not None and self.fixed_padding_tokens < 1:
            raise InputError("padding", self.fixed_padding_tokens, "a whole number at least 1")

    @cached_property
    def weight_bytes(self) -> float:
        """Bytes of the quantized weights."""
        return self.llm.weight_bytes * self.quantization.weight_bits / 16

    def kv_bytes(self, prompt_tokens: Any, output_tokens: Any) -> Any:
        """Bytes of quantized KV cache of requests padded to `prompt_tokens`."""
        per_token = self.llm.kv_bytes_per_token * self.quantization.kv_bits / 16
        return per_token * (prompt_tokens + output_tokens)

    @cached_property
    def seconds_per_flop(self) -> float:
        """Compute time of one FLOP on the pooled devices, quantization included."""
        return self.quantization.compute_factor / self.edge_node.flops

    @cached_property
    def seconds_per_byte(self) -> float:
        """Time to read one byte of the pooled memory; 0 where the cost model counts arithmetic alone."""
        return 1 / self.cost.memory_bandwidth_bytes_per_s if isinstance(self.cost, Roofline) else 0.0

    @cached_property
    def pace(self) -> Pace:
        """Arithmetic and memory traffic of a step against each other."""
        read_s = float(self.kv_bytes(0, 1)) * self.seconds_per_byte
        return Pace(
            weights_s=float(self.weight_bytes) * self.seconds_per_byte,
            # each weight, of 2 bytes at 16 bits, and each such byte of the cache, takes 2 FLOPs a token
            token_s=self.llm.weight_bytes * self.seconds_per_flop,
            context_s=self.llm.kv_bytes_per_token * self.seconds_per_flop - read_s,
        )

    def first_s(self, prompt_tokens: Any) -> Any:
        """Time of a request's arithmetic in the first stage, less the time to read its KV cache."""
        arithmetic_s = self.llm.prefill_flops(prompt_tokens) * self.seconds_per_flop
        return arithmetic_s - self.kv_bytes(prompt_tokens, 0) * self.seconds_per_byte

    def compute_time_s(self, flops: Any, prompt_tokens: Any, output_tokens: Any, counts: Any) -> Any:
        """Compute time t(S) of batches: equation (4).

        Parameters
        ----------
        flops
            FLOPs of all requests of each batch, shape (...).
        prompt_tokens
            Padded prompt length of each batch, shape (...).
        output_tokens, counts
            Output lengths, rising along the last axis, and how many requests have each, shape
            (lengths,) or (..., lengths).
        """
        arithmetic_s = flops * self.seconds_per_flop
        if self.cost == "flops":
            return arithmetic_s
        first_s = self.first_s(prompt_tokens)
        return arithmetic_s + stall_s(self.pace, first_s, prompt_tokens, output_tokens, counts)

    def alone_s(self, prompt_tokens: NDArray[np.int64], output_tokens: NDArray[np.int64]) -> Any:
        """Compute time of each of some requests as a batch of one, shape (requests,)."""
        flops = self.llm.request_flops(prompt_tokens, output_tokens)
        lengths = output_tokens[:, None]
        return self.compute_time_s(flops, prompt_tokens, lengths, np.ones_like(lengths))
