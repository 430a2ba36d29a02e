"""The independent checker: whether a schedule counts, recomputed request by request.

It shares no code with the schedulers, and prices a batch from the formulas of `Llm` and the fields of
`Roofline` alone; under the roofline cost model step by step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgebatch.errors import InfeasibleSchedule
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
        Quantized weights and the KV cache of the requests in memory at once.
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
    llm, quantization, node = system.llm, system.quantization, system.edge_node
    beta = quantization.compute_factor
    if not isinstance(system.cost, Roofline) or not outputs:
        flops = sum(llm.request_flops(padded, n) for n in outputs)
        return beta * flops * one_of / node.flops
    cost = system.cost
    # one of several devices reaches what it reaches alone; so do the pooled devices, less a share
    pooled = cost.pooled_share if one_of == 1 else 1.0
    flops_per_s = node.flops * pooled / (one_of * beta)
    bytes_per_s = cost.memory_bandwidth_bytes_per_s * cost.bandwidth_share * pooled / one_of
    weights, cache = quantization.weight_bits / 16, llm.kv_bytes_per_token * quantization.kv_bits / 16
    reads, requests = llm.prefill_reads, len(outputs)
    first_hit = 1 - llm.missed_by_token ** (requests * padded)
    first_bytes = (reads.dense_bytes + reads.expert_bytes * first_hit) * weights + cache * padded * requests
    first_flops = requests * llm.prefill_flops(padded)
    time_s = float(max(first_flops / (flops_per_s * cost.prefill_flops_share), first_bytes / bytes_per_s))
    time_s += cost.step_s + (llm.encoder_layers + llm.layers) * cost.layer_s
    lengths, longest = np.sort(outputs), max(outputs)
    for start in range(2, longest + 1, STEPS_AT_ONCE):
        j = np.arange(start, min(start + STEPS_AT_ONCE, longest + 1), dtype=np.float64)
        live, context = requests - np.searchsorted(lengths, j), padded + j - 1
        step_flops = live * (llm.token_flops + llm.context_flops * context / cost.attention_share)
        hit = 1 - llm.missed_by_token**live
        read_bytes = llm.decode_reads.dense_bytes + llm.decode_reads.expert_bytes * hit
        step_bytes = read_bytes * weights + live * cache * context
        arithmetic_s, traffic_s = (
            step_flops / (flops_per_s * cost.decode_flops_share),
            step_bytes / bytes_per_s,
        )
        time_s += float(np.maximum(arithmetic_s, traffic_s).sum())
        time_s += j.size * (cost.step_s + llm.layers * cost.layer_s)
    return time_s


def _memory_bytes(instance: Instance, cached_tokens: int) -> float:
    llm, quantization = instance.system.llm, instance.system.quantization
    kv_bytes = llm.kv_bytes_per_token * cached_tokens * quantization.kv_bits / 16
    return llm.weight_bytes * quantization.weight_bits / 16 + kv_bytes
