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
from edgebatch.model.storage import Storage
from edgebatch.model.tuning import Tuning
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
    storage
        Where a part of the decoder layers stays and is loaded from in each step; None if all are in memory.
    tuning
        What is tuned beside serving; None for nothing. It takes memory, and a share of all time.
    """

    slots: Slots
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    fixed_padding_tokens: int | None = None
    cost: str | Roofline = "flops"
    output_billing: str = choice("own", "batch_max", default="own")
    storage: Storage | None = None
    tuning: Tuning | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cost != "flops" and not isinstance(self.cost, Roofline):
            raise InputError("cost", describe(self.cost), "flops or a Roofline")
        if self.fixed_padding_tokens is not None and self.fixed_padding_tokens < 1:
            raise InputError("padding", self.fixed_padding_tokens, "a whole number at least 1")
        self._check_layers()

    def _check_layers(self) -> None:
        """Refuse what quantization, storage and tuning say of layers that the model does not have."""
        llm, by_layer = self.llm, self.quantization.weight_bits_by_layer
        if (self.quantization.tells_layers or self.storage or self.tuning) and llm.encoder_layers:
            expected = "0: layer-wise bits, sparse weights, adapters, storage and tuning need a decoder alone"
            raise InputError("llm.encoder_layers", llm.encoder_layers, expected)
        if by_layer and len(by_layer) != llm.layers:
            key, expected = "quantization.weight_bits_by_layer", f"one number for each of {llm.layers} layers"
            raise InputError(key, describe(by_layer), expected)
        if self.storage and self.storage.capacity_bytes is not None:
            stored_bytes = self.storage.share * self.quantization.layer_bytes(llm) / self.storage.ratio
            if stored_bytes > self.storage.capacity_bytes:
                expected = f"at least {stored_bytes:g}, the bytes that stay there"
                raise InputError("storage.capacity_bytes", self.storage.capacity_bytes, expected)
        if self.tuning and self.tuning.window_layers > llm.layers:
            expected = f"at most {llm.layers}, the layers of the model"
            raise InputError("tuning.window_layers", self.tuning.window_layers, expected)
        if self.tuning and self.serving_share <= 0:
            expected = f"below {1 / self.tuning_step_s:g}, which take all time of the node"
            raise InputError("tuning.steps_per_s", self.tuning.steps_per_s, expected)

    @cached_property
    def weight_bytes(self) -> float:
        """Bytes of the quantized weights, adapters included."""
        return self.quantization.weight_bytes(self.llm)

    @cached_property
    def resident_bytes(self) -> float:
        """Memory that is taken whatever the batch: by weights, by the buffer of loaded ones, by tuning."""
        total_bytes = self.weight_bytes
        if self.storage:
            layer_bytes = self.quantization.layer_bytes(self.llm)
            buffer_bytes = self.quantization.largest_layer_bytes(self.llm)
            total_bytes += self.storage.resident_bytes(layer_bytes, buffer_bytes) - layer_bytes
        return total_bytes + (self.tuning.memory_bytes(self.llm) if self.tuning else 0)

    @cached_property
    def load_s(self) -> float:
        """Time to load the layers that stay on storage, in each step."""
        if not self.storage:
            return 0.0
        return self.storage.load_s(self.storage.share * self.quantization.layer_bytes(self.llm))

    @cached_property
    def tuning_step_s(self) -> float:
        """Time of a step of tuning, at the pace of arithmetic of the first stage at 16 bits."""
        if not self.tuning:
            return 0.0
        reached = 1.0
        if isinstance(self.cost, Roofline):
            reached = self.cost.prefill_flops_share * self.cost.pooled_share
        return self.tuning.step_flops(self.llm) / (self.edge_node.flops * reached)

    @cached_property
    def serving_share(self) -> float:
        """Share of the node's time that tuning leaves; whatever serving takes is longer by its inverse."""
        if not self.tuning or self.tuning.steps_per_s == 0:
            return 1.0
        return 1 - self.tuning.steps_per_s * self.tuning_step_s

    @cached_property
    def arithmetic_alone(self) -> bool:
        """Whether the compute time of a batch is that of the arithmetic of its requests, and nothing else."""
        return self.cost == "flops" and self.load_s == 0

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
        ideal_s = self.quantization.compute_factor / self.edge_node.flops / self.serving_share
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
        return 1 / (self.cost.memory_bandwidth_bytes_per_s * reached) / self.serving_share

    @cached_property
    def pace(self) -> Pace:
        """Arithmetic and memory traffic of a step against each other."""
        llm, constants = self.llm, self.cost if isinstance(self.cost, Roofline) else Roofline(1.0)
        read_s = float(self.kv_bytes(0, 1)) * self.seconds_per_byte
        decode_s_per_flop = self.decode_weight * self.seconds_per_flop
        layers, share = llm.encoder_layers + llm.layers, self.serving_share
        return Pace(
            prefill_reads=self._reads(llm.prefill_reads),
            decode_reads=self._reads(llm.decode_reads),
            token_s=self.token_flops * decode_s_per_flop,
            context_s=self.context_flops * decode_s_per_flop - read_s,
            prefill_overhead_s=(constants.step_s + layers * constants.layer_s + self.load_s) / share,
            decode_overhead_s=(constants.step_s + llm.layers * constants.layer_s + self.load_s) / share,
        )

    def _reads(self, weights: WeightReads) -> Reads:
        dense_bytes, expert_bytes = self.quantization.reads(self.llm, weights)
        per_byte = self.seconds_per_byte
        return Reads(dense_bytes * per_byte, expert_bytes * per_byte, self.llm.missed_by_token)

    @cached_property
    def _added_flops(self) -> float:
        # a float, as products with long prompts overflow whole numbers of numpy
        return float(self.quantization.added_flops(self.llm))

    @cached_property
    def token_flops(self) -> float:
        """FLOPs of generating a token after the first, whatever its context, by the quantized model."""
        return self.llm.token_flops + self._added_flops

    def prefill_flops(self, prompt_tokens: Any) -> Any:
        """FLOPs of the first stage by the quantized model, for a prompt padded to `prompt_tokens`."""
        flops = self.llm.prefill_flops(prompt_tokens)
        return flops + prompt_tokens * self._added_flops if self._added_flops else flops

    def _decode_flops(self, prompt_tokens: Any, output_tokens: Any) -> Any:
        flops = self.llm.decode_flops(prompt_tokens, output_tokens)
        return flops + (output_tokens - 1) * self._added_flops if self._added_flops else flops

    def first_s(self, prompt_tokens: Any) -> Any:
        """Time of a request's arithmetic in the first stage, less the time to read its KV cache."""
        arithmetic_s = self.prefill_flops(prompt_tokens) * self.seconds_per_flop
        return arithmetic_s - self.kv_bytes(prompt_tokens, 0) * self.seconds_per_byte

    def work_flops(self, prompt_tokens: Any, output_tokens: Any) -> Any:
        """FLOPs of requests, those of the later steps weighted as FLOPs of the first stage."""
        prefill = self.prefill_flops(prompt_tokens)
        decode = self._decode_flops(prompt_tokens, output_tokens)
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
        if self.arithmetic_alone:
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

        A device by itself reaches its own FLOPS and bandwidth, has its part of the storage, and the overheads
        of all of them.
        """
        if self.edge_node.devices == 1:
            return self.alone_s(prompt_tokens, output_tokens)
        pooled = self.cost.pooled_share if isinstance(self.cost, Roofline) else 1.0
        pace, devices = self.pace, self.edge_node.devices
        overhead_s = pace.prefill_overhead_s + (output_tokens - 1) * pace.decode_overhead_s
        more_s = (devices - 1) * output_tokens * (self.load_s / self.serving_share)
        alone_s = self.alone_s(prompt_tokens, output_tokens)
        return (alone_s - overhead_s) * devices * pooled + overhead_s + more_s
