"""No batching (NoB): each device serves one request at a time, unpadded, first come first served."""

from __future__ import annotations

import numpy as np

from edgebatch.errors import InputError, one_of
from edgebatch.problem import Instance, Schedule, fits

ADMISSIONS = ("blind", "deadline_aware")


def schedule(instance: Instance, *, admission: str = "blind") -> Schedule:
    """Assign requests to devices in order of arrival; each device has an equal part of the node's FLOPS.

    Parameters
    ----------
    admission
        ``blind``: one request per device and epoch, whatever its latency requirement; a request that is
        not finished in time is missed. ``deadline_aware``: the device that is free first takes a request
        only if it will finish it in time, and then further ones.

    Notes
    -----
    Both skip a request that does not fit into the bands or the memory, or that needs more accuracy than
    the model has. Memory is counted for the longest request of each device.
    """
    if admission not in ADMISSIONS:
        raise InputError("admission", repr(admission), one_of(admission, ADMISSIONS))
    system = instance.system
    devices = system.edge_node.devices
    work_s = system.one_device_s(instance.prompt_tokens, instance.output_tokens)
    tokens = (instance.prompt_tokens + instance.output_tokens).tolist()
    used = min(devices, instance.size)
    free_s, cached = [0.0] * used, [0] * used
    queues: list[list[int]] = [[] for _ in range(used)]
    served: list[int] = []
    missed: list[int] = []
    up = down = 0.0
    for i in np.flatnonzero(instance.accurate()).tolist():
        device = min(range(used), key=free_s.__getitem__)
        if admission == "blind" and queues[device]:
            break
        finish_s = free_s[device] + float(work_s[i])
        in_time = bool(fits(finish_s, instance.deadline_s[i]))
        held = sum(cached) + max(0, tokens[i] - cached[device])
        if (
            (not in_time and admission == "deadline_aware")
            or not fits(up + instance.uplink_share[i], 1.0)
            or not fits(down + instance.downlink_share[i], 1.0)
            or not fits(system.resident_bytes + system.kv_bytes(0, held), system.edge_node.memory_bytes)
        ):
            continue
        queues[device].append(i)
        free_s[device], cached[device] = finish_s, max(cached[device], tokens[i])
        up, down = up + float(instance.uplink_share[i]), down + float(instance.downlink_share[i])
        (served if in_time else missed).append(i)
    return Schedule(
        tuple(served),
        tuple(missed),
        device_queues=tuple(map(tuple, queues)),
        upper_bound=int(instance.accurate().sum()),
    )
