"""Enumeration of all subsets: an exact solver for small instances, independent of the tree searches."""

from __future__ import annotations

import numpy as np

from edgebatch.errors import InputError
from edgebatch.problem import Instance, Schedule, fits

TAKES_WEIGHTS = True

MOST_REQUESTS = 20
"""Largest number of servable requests: 2^20 subsets take some hundred megabytes."""


def schedule(instance: Instance) -> Schedule:
    """Return the feasible batch of most weight, by pricing all subsets of the servable requests.

    Raises
    ------
    InputError
        For more than `MOST_REQUESTS` servable requests.
    """
    system = instance.system
    requests = np.flatnonzero(instance.servable())
    if requests.size > MOST_REQUESTS:
        raise InputError("requests", f"{requests.size} that can be served", f"at most {MOST_REQUESTS}")
    if requests.size == 0:
        return Schedule((), upper_bound=0)
    subsets = (np.arange(1, 2**requests.size)[:, None] >> np.arange(requests.size)) & 1
    prompts, outputs = instance.prompt_tokens[requests], instance.output_tokens[requests]
    padded = instance.padded((subsets * prompts).max(axis=1))
    longest = (subsets * outputs).max(axis=1)
    flops = np.zeros(len(subsets))
    tokens = np.zeros(len(subsets))
    for j, own in enumerate(outputs):
        billed = longest if system.bills_longest else own
        flops += subsets[:, j] * system.work_flops(padded, billed)
        tokens += subsets[:, j] * (padded + billed)
    lengths, length = np.unique(outputs, return_inverse=True)
    counts = subsets @ np.eye(lengths.size, dtype=np.int64)[length]
    deadline_s = np.where(subsets == 1, instance.deadline_s[requests], np.inf).min(axis=1)
    feasible = (
        fits(subsets @ instance.uplink_share[requests], 1.0)
        & fits(subsets @ instance.downlink_share[requests], 1.0)
        & fits(system.resident_bytes + system.kv_bytes(0, tokens), system.edge_node.memory_bytes)
        & fits(system.compute_time_s(flops, padded, *system.billed(lengths, counts)), deadline_s)
    )
    best = int(np.argmax(np.where(feasible, subsets @ instance.weight[requests], 0)))
    selected = tuple(int(i) for i in requests[np.flatnonzero(subsets[best])])
    weight = instance.weight_of(selected)
    return Schedule(selected, upper_bound=weight, weight=weight)
