"""What becomes of a schedule that was made with expected output lengths, once the true ones are known."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from edgebatch.checker import Loads
from edgebatch.problem import Instance, Schedule, fits


def in_hindsight(true: Instance, schedule: Schedule) -> tuple[Schedule, Loads]:
    """The schedule with those who are served in time, and all others as missed; and what is used.

    A batch runs as far as memory lasts, in order of arrival, and ends with the compute slot. Each answer is
    in time if its own last token is, and if the downlink slot has room for it, in order of arrival.

    Parameters
    ----------
    true
        The instance with true output lengths.
    schedule
        Made for the same instance with expected ones.
    """
    system = true.system
    running = np.array(sorted(schedule.selected + schedule.missed), dtype=np.int64)
    padded = int(true.padded(true.prompt_tokens[running]).max(initial=0))
    if schedule.device_queues is None:
        held = system.kv_bytes(padded, true.output_tokens[running])
        room = system.edge_node.memory_bytes - system.resident_bytes
        kept = running[fits(np.cumsum(held), room)]
        padded = int(true.padded(true.prompt_tokens[kept]).max(initial=0))
        done_s = _batch_times(true, kept, padded)
    else:
        kept = running
        done_s = _queue_times(true, schedule.device_queues)[running]
        padded = 0
    wanted = np.isin(kept, schedule.selected)
    in_time = wanted & fits(done_s, true.deadline_s[kept])
    in_time[in_time] = fits(np.cumsum(true.downlink_share[kept[in_time]]), 1.0)
    served = kept[in_time]
    judged = dataclasses.replace(
        schedule,
        selected=tuple(served.tolist()),
        missed=tuple(np.setdiff1d(running, served).tolist()),
        weight=true.weight_of(served.tolist()),
        upper_bound=max(schedule.upper_bound, true.weight_of(served.tolist())),
    )
    tokens = true.padded(true.prompt_tokens[kept]) if padded == 0 else padded
    loads = Loads(
        uplink_share=float(true.uplink_share[running].sum()),
        downlink_share=float(true.downlink_share[served].sum()),
        memory_bytes=system.resident_bytes + float(np.sum(system.kv_bytes(tokens, true.output_tokens[kept]))),
        compute_time_s=min(system.slots.compute_s, float(done_s.max(initial=0.0))),
        deadline_s=system.slots.compute_s,
        padded_prompt_tokens=padded,
    )
    return judged, loads


def _batch_times(true: Instance, kept: NDArray[np.int64], padded: int) -> NDArray[np.float64]:
    """When each request of a batch has its last token, from the start of the compute slot."""
    outputs = true.output_tokens[kept]
    if true.system.bills_longest:
        outputs = np.full_like(outputs, outputs.max(initial=1))
    lengths, which = np.unique(outputs, return_inverse=True)
    times_s = [
        true.system.batch_time_s(padded, *np.unique(np.minimum(outputs, length), return_counts=True))
        for length in lengths
    ]
    return np.array(times_s)[which] if kept.size else np.empty(0)


def _queue_times(true: Instance, queues: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """When each request has its last token where devices serve one by one."""
    alone_s = true.system.one_device_s(true.prompt_tokens, true.output_tokens)
    done_s = np.zeros(true.size)
    for queue in queues:
        done_s[list(queue)] = np.cumsum(alone_s[list(queue)])
    return done_s
