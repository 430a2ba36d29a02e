"""What users see of a run of epochs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgebatch.model.system import System
from edgebatch.model.workload import Requests
from edgebatch.problem import fits
from edgebatch.service import Service
from edgebatch.simulation import Epoch


def epoch_service(system: System, requests: Requests, epochs: Sequence[Epoch]) -> Service:
    """What became of each request of a run.

    A batch has all of its first tokens after its first stage, and its answers leave together when it ends,
    with the downlink slot behind it. Where devices serve one by one, each answer has its own times.
    """
    first_s, last_s = (np.full(requests.arrival_s.size, np.nan) for _ in range(2))
    in_time = np.zeros(requests.arrival_s.size, dtype=bool)
    batches = [epoch for epoch in epochs if epoch.schedule.device_queues is None]
    for epoch, prefill_s in zip(batches, _first_stages_s(system, batches), strict=True):
        running = epoch.requests[list(epoch.schedule.selected + epoch.schedule.missed)]
        first_s[running] = prefill_s
        last_s[running] = epoch.loads.compute_time_s
    if len(batches) < len(epochs):
        alone_s = system.one_device_s(requests.prompt_tokens, requests.output_tokens)
        one_token_s = system.one_device_s(requests.prompt_tokens, np.ones_like(requests.output_tokens))
        for epoch in epochs:
            for queue in epoch.schedule.device_queues or ():
                running = epoch.requests[list(queue)]
                last_s[running] = np.cumsum(alone_s[running])
                first_s[running] = last_s[running] - alone_s[running] + one_token_s[running]
    start_s = np.zeros(requests.arrival_s.size)
    for number, epoch in enumerate(epochs, 1):
        start_s[epoch.requests] = number * system.slots.epoch_s + system.slots.uplink_s
        in_time[epoch.requests[list(epoch.schedule.selected)]] = True
    # a missed request of a batch ran in an earlier epoch than its last as a candidate: the same epoch
    waited_s = start_s - requests.arrival_s + requests.network_s
    later = np.where(requests.output_tokens > 1, requests.output_tokens - 1, np.nan)
    return Service(
        in_time,
        turned_away(system, requests),
        waited_s + first_s,
        (last_s - first_s) / later,
        waited_s + last_s + system.slots.downlink_s,
        requests.output_tokens,
    )


def _first_stages_s(system: System, batches: Sequence[Epoch]) -> np.ndarray:
    """Time of the first stage of each batch, shape (batches,)."""
    padded = np.array([max(1, epoch.loads.padded_prompt_tokens) for epoch in batches], dtype=np.int64)
    sizes = np.array([len(e.schedule.selected) + len(e.schedule.missed) for e in batches], dtype=np.int64)
    one = np.ones(1, dtype=np.int64)
    flops = system.work_flops(padded, np.ones_like(padded)) * sizes
    times_s: np.ndarray = system.compute_time_s(flops, padded, one, sizes[:, None])
    return times_s


def turned_away(system: System, requests: Requests) -> np.ndarray:
    """Which requests the node cannot take, whatever else it serves, shape (requests,)."""
    fixed = system.fixed_padding_tokens
    padded = requests.prompt_tokens if fixed is None else np.full_like(requests.prompt_tokens, fixed)
    held = system.resident_bytes + system.kv_bytes(padded, requests.output_tokens)
    return (
        (requests.accuracy > system.quantization.accuracy)
        | (requests.prompt_tokens > padded)
        | ~fits(held, system.edge_node.memory_bytes)
    )
