"""The edge node: what does not change from epoch to epoch, and what a batch costs on it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.llm import Llm, WeightReads
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Pace, Reads, Roofline, beyond_arithmetic_s
from edgebatch.schema import Checked, choice, describe, integer, real


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
    output_billing
        Output length that a request is billed in memory and compute time: its ``own``, or ``batch_max``, the
        longest of its batch, as in a static batch that runs until its last token.
    """

    slots: Slots
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    fixed_padding_tokens: int | None = None
    cost: str | Roofline = "flops"
    output_billing: str = choice("own", "batch_max", default="own")

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
    def bills_longest(self) -> bool:
        """Whether every request is billed the longest output of its batch."""
        return self.output_billing == "batch_max"

    def billed(self, output_tokens: NDArray[np.int64], counts: NDArray[Any]) -> tuple[Any, Any]:
        """Output lengths that batches are billed, and how many requests each.

        Parameters
        ----------
        output_tokens
            Output lengths, rising, shape (lengths,).
        counts
            How many requests of each batch have each, shape (..., lengths).

        Returns
        -------
        output_tokens, counts
            Shapes (lengths,) and (..., lengths), or both (..., 1) where all requests are billed the longest.
        """
        if not self.bills_longest:
            return output_tokens, counts
        longest = np.where(counts > 0, output_tokens, 1).max(axis=-1, keepdims=True, initial=1)
        return longest, counts.sum(axis=-1, keepdims=True)

    @cached_property
    def seconds_per_flop(self) -> float:
        """Compute time of one FLOP of the first stage on the pooled devices, quantization included."""
        ideal_s = self.quantization.compute_factor / self.edge_node.flops
        if isinstance(self.cost, Roofline):
            return ideal_s / (self.cost.prefill_flops_share * self.cost.pooled_share)
        return ideal_s

    @cached_property
    def decode_weight(self) -> float:
        """Compute time of a FLOP of the later steps, over that of one of the first stage."""
        return (
            self.cost.prefill_flops_share / self.cost.decode_flops_share
            if isinstance(self.cost, Roofline)
            else 1
        )

    @cached_property
    def context_flops(self) -> float:
        """FLOPs of a later step for each token of its context, at the pace of the step's others."""
        share = self.cost.attention_share if isinstance(self.cost, Roofline) else 1
        return self.llm.context_flops / share

    @cached_property
    def seconds_per_byte(self) -> float:
        """Time to read one byte of the pooled memory; 0 where the cost model counts arithmetic alone."""
        if not isinstance(self.cost, Roofline):
            return 0.0
        reached = self.cost.bandwidth_share * self.cost.pooled_share
        return 1 / (self.cost.memory_bandwidth_bytes_per_s * reached)

    @cached_property
    def pace(self) -> Pace:
        """Arithmetic and memory traffic of a step against each other."""
        llm, constants = self.llm, self.cost if isinstance(self.cost, Roofline) else Roofline(1.0)
        read_s = float(self.kv_bytes(0, 1)) * self.seconds_per_byte
        decode_s_per_flop = self.decode_weight * self.seconds_per_flop
        layers = llm.encoder_layers + llm.layers
        return Pace(
            prefill_reads=self._reads(llm.prefill_reads),
            decode_reads=self._reads(llm.decode_reads),
            token_s=llm.token_flops * decode_s_per_flop,
            context_s=self.context_flops * decode_s_per_flop - read_s,
            prefill_overhead_s=constants.step_s + layers * constants.layer_s,
            decode_overhead_s=constants.step_s + llm.layers * constants.layer_s,
        )

    def _reads(self, weights: WeightReads) -> Reads:
        dense_s, expert_s = (
            at_16 * self.quantization.weight_bits / 16 * self.seconds_per_byte for at_16 in weights
        )
        return Reads(dense_s, expert_s, self.llm.missed_by_token)

    def first_s(self, prompt_tokens: Any) -> Any:
        """Time of a request's arithmetic in the first stage, less the time to read its KV cache."""
        arithmetic_s = self.llm.prefill_flops(prompt_tokens) * self.seconds_per_flop
        return arithmetic_s - self.kv_bytes(prompt_tokens, 0) * self.seconds_per_byte

    def work_flops(self, prompt_tokens: Any, output_tokens: Any) -> Any:
        """FLOPs of requests, those of the later steps weighted as FLOPs of the first stage."""
        prefill = self.llm.prefill_flops(prompt_tokens)
        decode = self.llm.decode_flops(prompt_tokens, output_tokens)
        if self.context_flops != self.llm.context_flops:
            contexts = (output_tokens - 1) * (prompt_tokens + output_tokens / 2)
            decode = decode + contexts * (self.context_flops - self.llm.context_flops)
        return prefill + self.decode_weight * decode

    def compute_time_s(self, flops: Any, prompt_tokens: Any, output_tokens: Any, counts: Any) -> Any:
        """Compute time t(S) of batches: equation (4).

        Parameters
        ----------
        flops
            Sum of `work_flops` of all requests of each batch, at billed output lengths, shape (...).
        prompt_tokens
            Padded prompt length of each batch, shape (...).
        output_tokens, counts
            Billed output lengths, rising along the last axis, and how many requests have each, shape
            (lengths,) or (..., lengths).
        """
        arithmetic_s = flops * self.seconds_per_flop
        if self.cost == "flops":
            return arithmetic_s
        first_s = self.first_s(prompt_tokens)
        return arithmetic_s + beyond_arithmetic_s(self.pace, first_s, prompt_tokens, output_tokens, counts)

    def batch_time_s(
        self, prompt_tokens: int, output_tokens: NDArray[np.int64], counts: NDArray[Any]
    ) -> float:
        """Compute time of a batch padded to `prompt_tokens`.

        Parameters
        ----------
        output_tokens, counts
            Output lengths, rising, and how many requests have each, shape (lengths,).
        """
        lengths, counts = self.billed(output_tokens, counts)
        flops = self.work_flops(np.array(prompt_tokens), lengths) @ counts
        return float(self.compute_time_s(flops, prompt_tokens, lengths, counts))

    def alone_s(self, prompt_tokens: NDArray[np.int64], output_tokens: NDArray[np.int64]) -> Any:
        """Compute time of each of some requests as a batch of one, shape (requests,)."""
        flops = self.work_flops(prompt_tokens, output_tokens)
        lengths = output_tokens[:, None]
        return self.compute_time_s(flops, prompt_tokens, lengths, np.ones_like(lengths))

    def one_device_s(self, prompt_tokens: NDArray[np.int64], output_tokens: NDArray[np.int64]) -> Any:
        """Compute time of each of some requests alone on one of the devices, shape (requests,).

        A device by itself reaches its own FLOPS and bandwidth, and has the overheads of all of them.
        """
        if self.edge_node.devices == 1:
            return self.alone_s(prompt_tokens, output_tokens)
        pooled = self.cost.pooled_share if isinstance(self.cost, Roofline) else 1.0
        pace = self.pace
        overhead_s = pace.prefill_overhead_s + (output_tokens - 1) * pace.decode_overhead_s
        return (
            self.alone_s(prompt_tokens, output_tokens) - overhead_s
        ) * self.edge_node.devices * pooled + overhead_s
