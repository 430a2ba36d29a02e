"""The independent checker: whether a schedule counts, recomputed request by request.

It shares no code with the schedulers, and prices a batch from the formulas of `Llm` and the fields of
`Roofline` alone; under the roofline cost model step by step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgebatch.errors import InfeasibleSchedule
from edgebatch.model.llm import WeightReads
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import System
from edgebatch.problem import Instance, Schedule, fits

STEPS_AT_ONCE = 2**20
"""Steps of a batch that are priced in one array, so that memory does not grow with its longest output."""


@dataclass(frozen=True)
class Loads:
    """What a schedule uses of each budget.

    Attributes
    ----------
    uplink_share, downlink_share
        Sum over all requests that run; the budget is 1.
    memory_bytes
        Quantized weights, what tuning holds, and the KV cache of the requests in memory at once.
    compute_time_s
        Time until the last request that is served has its last token.
    deadline_s
        What `compute_time_s` must not exceed: min(T_C, least slack of the served) for a batch, T_C
        where devices serve one by one and every request has a deadline of its own.
    padded_prompt_tokens
        Common prompt length; 0 without a batch.
    """

    uplink_share: float
    downlink_share: float
    memory_bytes: float
    compute_time_s: float
    deadline_s: float
    padded_prompt_tokens: int


def check(instance: Instance, schedule: Schedule) -> Loads:
    """Recompute every constraint of P1 for `schedule`: constraints (10) to (13).

    Returns
    -------
    Loads
        What the schedule uses of each budget; shares of a band, bytes and seconds.

    Raises
    ------
    InfeasibleSchedule
        Naming the first constraint that is broken, its load and its budget.
    """
    running = schedule.selected + schedule.missed
    if len(set(running)) != len(running):
        raise InfeasibleSchedule("a request is scheduled twice")
    if any(not 0 <= i < instance.size for i in running):
        raise InfeasibleSchedule(f"a request outside the {instance.size} of the instance is scheduled")
    weight = math.fsum(instance.weight[i] for i in schedule.selected)
    if not (fits(weight, schedule.weight) and fits(schedule.weight, weight)):
        raise InfeasibleSchedule(f"weight {schedule.weight} is not that of its requests, {weight}")
    if not fits(schedule.weight, schedule.upper_bound):
        name = "weight" if instance.weighted else "size"
        raise InfeasibleSchedule(f"{name} {schedule.weight} exceeds its own bound {schedule.upper_bound}")
    if schedule.device_queues is None:
        loads = _batch_loads(instance, schedule)
    else:
        loads = _device_loads(instance, schedule, schedule.device_queues)
    _require("uplink", loads.uplink_share, 1.0)
    _require("downlink", loads.downlink_share, 1.0)
    if running:
        _require("memory", loads.memory_bytes, instance.system.edge_node.memory_bytes)
    for i in schedule.selected:
        if instance.accuracy[i] > instance.system.quantization.accuracy:
            raise InfeasibleSchedule(f"request {i} requires more accuracy than is offered")
    return loads


def _require(budget: str, load: float, limit: float) -> None:
    if not fits(load, limit):
        raise InfeasibleSchedule(f"{budget}: load {load!r} exceeds the budget {limit!r}")


def _batch_loads(instance: Instance, schedule: Schedule) -> Loads:
    system = instance.system
    running = schedule.selected + schedule.missed
    padded = max((int(instance.prompt_tokens[i]) for i in running), default=0)
    if system.fixed_padding_tokens is not None and running:
        padded = system.fixed_padding_tokens
    outputs = [int(instance.output_tokens[i]) for i in running]
    if system.output_billing == "batch_max" and running:
        outputs = [max(outputs)] * len(outputs)
    tokens = sum(padded + n for n in outputs)
    compute_s = _compute_time_s(system, padded, outputs)
    deadline_s = min([system.slots.compute_s, *(float(instance.slack_s[i]) for i in schedule.selected)])
    if running:
        _require("compute", compute_s, deadline_s)
    return Loads(
        uplink_share=math.fsum(instance.uplink_share[i] for i in running),
        downlink_share=math.fsum(instance.downlink_share[i] for i in running),
        memory_bytes=_memory_bytes(instance, tokens),
        compute_time_s=compute_s,
        deadline_s=deadline_s,
        padded_prompt_tokens=padded,
    )


def _device_loads(instance: Instance, schedule: Schedule, queues: tuple[tuple[int, ...], ...]) -> Loads:
    system = instance.system
    running = schedule.selected + schedule.missed
    if sorted(i for queue in queues for i in queue) != sorted(running):
        raise InfeasibleSchedule("the queues of the devices do not hold the scheduled requests")
    if len(queues) > system.edge_node.devices:
        raise InfeasibleSchedule(f"{len(queues)} queues for {system.edge_node.devices} devices")
    served = set(schedule.selected)
    last_s, largest = 0.0, 0
    for queue in queues:
        clock_s = 0.0
        for i in queue:
            prompt, output = int(instance.prompt_tokens[i]), int(instance.output_tokens[i])
            clock_s += _compute_time_s(system, prompt, [output], one_of=system.edge_node.devices)
            if i in served:
                limit = min(system.slots.compute_s, float(instance.slack_s[i]))
                _require(f"compute of request {i}", clock_s, limit)
                last_s = max(last_s, clock_s)
        largest += max(
            (int(instance.prompt_tokens[i]) + int(instance.output_tokens[i]) for i in queue), default=0
        )
    return Loads(
        uplink_share=math.fsum(instance.uplink_share[i] for i in running),
        downlink_share=math.fsum(instance.downlink_share[i] for i in running),
        memory_bytes=_memory_bytes(instance, largest),
        compute_time_s=last_s,
        deadline_s=system.slots.compute_s,
        padded_prompt_tokens=0,
    )


def _compute_time_s(system: System, padded: int, outputs: list[int], one_of: int = 1) -> float:
    """Time of a batch on one of so many equal parts of the node: equation (4)."""
    if not outputs:
        return 0.0
    llm, quantization, node = system.llm, system.quantization, system.edge_node
    beta, more_flops = quantization.compute_factor, _more_flops(system)
    serving_s, load_s = _share_of_time(system), _load_s(system) * one_of
    if not isinstance(system.cost, Roofline):
        flops = sum(llm.request_flops(padded, n) + more_flops * (padded + n - 1) for n in outputs)
        return (beta * flops * one_of / node.flops + max(outputs) * load_s) / serving_s
    cost = system.cost
    # one of several devices reaches what it reaches alone; so do the pooled devices, less a share
    pooled = cost.pooled_share if one_of == 1 else 1.0
    flops_per_s = node.flops * pooled / (one_of * beta)
    bytes_per_s = cost.memory_bandwidth_bytes_per_s * cost.bandwidth_share * pooled / one_of
    cache, requests = llm.kv_bytes_per_token * quantization.kv_bits / 16, len(outputs)
    first_bytes = _read_bytes(system, llm.prefill_reads, requests * padded) + cache * padded * requests
    first_flops = requests * (llm.prefill_flops(padded) + more_flops * padded)
    time_s = float(max(first_flops / (flops_per_s * cost.prefill_flops_share), first_bytes / bytes_per_s))
    time_s += cost.step_s + (llm.encoder_layers + llm.layers) * cost.layer_s + load_s
    lengths, longest = np.sort(outputs), max(outputs)
    for start in range(2, longest + 1, STEPS_AT_ONCE):
        j = np.arange(start, min(start + STEPS_AT_ONCE, longest + 1), dtype=np.float64)
        live, context = requests - np.searchsorted(lengths, j), padded + j - 1
        token_flops = llm.token_flops + more_flops + llm.context_flops * context / cost.attention_share
        step_flops = live * token_flops
        step_bytes = _read_bytes(system, llm.decode_reads, live) + live * cache * context
        arithmetic_s, traffic_s = (
            step_flops / (flops_per_s * cost.decode_flops_share),
            step_bytes / bytes_per_s,
        )
        time_s += float(np.maximum(arithmetic_s, traffic_s).sum())
        time_s += j.size * (cost.step_s + llm.layers * cost.layer_s + load_s)
    return time_s / serving_s


def _read_bytes(system: System, at_16: WeightReads, tokens: Any) -> Any:
    """Bytes of weights and adapters that `tokens` tokens read in a step; `at_16`, the weights at 16 bits."""
    llm, quantization = system.llm, system.quantization
    hit = 1 - llm.missed_by_token**tokens
    adapters = llm.adapter_reads(quantization.adapter_rank)
    if not quantization.tells_layers:
        return (at_16.dense_bytes + at_16.expert_bytes * hit) * quantization.weight_bits / 16
    output_bytes = 2 * llm.output_weights
    share = _layer_bytes(system) / (2 * llm.layer_weights * llm.layers)
    layers = (at_16.dense_bytes - output_bytes + at_16.expert_bytes * hit) * share
    output = output_bytes * quantization.weight_bits / 16
    return layers + output + adapters.dense_bytes + adapters.expert_bytes * hit


def _layer_bytes(system: System) -> float:
    """Bytes of the weights of all decoder layers, layer by layer."""
    llm, quantization = system.llm, system.quantization
    by_layer = quantization.weight_bits_by_layer or (quantization.weight_bits,) * llm.layers
    sparse = quantization.sparse_share * quantization.sparse_bits
    return math.fsum(llm.layer_weights * (bits + sparse) / 8 for bits in by_layer)


def _largest_layer_bytes(system: System) -> float:
    """Bytes of the weights of the layer that has the most."""
    quantization = system.quantization
    bits = max([*quantization.weight_bits_by_layer] or [quantization.weight_bits])
    sparse = quantization.sparse_share * quantization.sparse_bits
    return system.llm.layer_weights * (bits + sparse) / 8


def _more_flops(system: System) -> int:
    """FLOPs of a token for sparse weights and adapters, less those of pruned weights."""
    llm, quantization = system.llm, system.quantization
    worked = 2 * llm.active_layer_weights * llm.layers
    sparse = worked * (quantization.sparse_share - quantization.pruned_share)
    return round(sparse) + llm.adapter_flops(quantization.adapter_rank)


def _load_s(system: System) -> float:
    """Time to load the layers that stay on storage, in each step."""
    if system.storage is None:
        return 0.0
    loaded_bytes = system.storage.share * _layer_bytes(system)
    reading_s = loaded_bytes / system.storage.ratio / system.storage.speed_bytes_per_s
    decoder = system.storage.decoder_bytes_per_s
    return reading_s if decoder is None else max(reading_s, loaded_bytes / decoder)


def _share_of_time(system: System) -> float:
    """Share of its time that the node serves and does not tune."""
    if system.tuning is None or system.tuning.steps_per_s == 0:
        return 1.0
    flops_per_s = system.edge_node.flops
    if isinstance(system.cost, Roofline):
        flops_per_s *= system.cost.prefill_flops_share * system.cost.pooled_share
    return 1 - system.tuning.steps_per_s * system.tuning.step_flops(system.llm) / flops_per_s


def _memory_bytes(instance: Instance, cached_tokens: int) -> float:
    system = instance.system
    llm, quantization, storage = system.llm, system.quantization, system.storage
    total_bytes = llm.kv_bytes_per_token * cached_tokens * quantization.kv_bits / 16
    if quantization.tells_layers or storage:
        layers_bytes = _layer_bytes(system)
        others = llm.weight_bytes - 2 * llm.layer_weights * llm.layers
        total_bytes += others * quantization.weight_bits / 16 + layers_bytes
        total_bytes += sum(llm.adapter_reads(quantization.adapter_rank))
        if storage:
            total_bytes -= max(0.0, storage.share * layers_bytes - _largest_layer_bytes(system))
    else:
        total_bytes += llm.weight_bytes * quantization.weight_bits / 16
    return total_bytes + (system.tuning.memory_bytes(llm) if system.tuning else 0)
