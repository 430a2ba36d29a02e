"""Build one batch request by request in a given order, for static batching and the heuristics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import Instance, Schedule, fits


def admit_in_order(
    instance: Instance, order: Iterable[int], at_most: int | None = None, deadlines: bool = True
) -> tuple[int, ...]:
    """Admit each request of `order` that fits into the batch, and skip the others.

    Budgets only fill up as the batch grows, so that a skipped request would not fit later either.

    Parameters
    ----------
    order
        Indices into the instance, the first to try first.
    at_most
        Largest batch size; None for no limit.
    deadlines
        Whether a request may join only if every latency requirement in the batch still holds;
        otherwise only the compute slot T_C bounds the compute time.

    Returns
    -------
    tuple of int
        The batch, in order of arrival.
    """
    system = instance.system
    prompts, outputs = instance.prompt_tokens.tolist(), instance.output_tokens.tolist()
    uplink, downlink = instance.uplink_share.tolist(), instance.downlink_share.tolist()
    limits = instance.deadline_s.tolist()
    lengths, length = np.unique(instance.output_tokens, return_inverse=True)
    counts = np.zeros_like(lengths)
    batch: list[int] = []
    padded, longest, flops, tokens = 0, 0, 0, 0
    up, down, deadline_s = 0.0, 0.0, system.slots.compute_s
    for i in map(int, order):
        if at_most is not None and len(batch) >= at_most:
            break
        new_padded = system.fixed_padding_tokens or max(padded, prompts[i])
        new_longest = max(longest, outputs[i])
        if system.bills_longest:
            new_flops = (len(batch) + 1) * system.work_flops(new_padded, new_longest)
            new_tokens = (len(batch) + 1) * new_longest
        else:
            repadded = flops
            if new_padded != padded:
                repadded = sum(system.work_flops(new_padded, outputs[j]) for j in batch)
            new_flops = repadded + system.work_flops(new_padded, outputs[i])
            new_tokens = tokens + outputs[i]
        new_deadline_s = min(deadline_s, limits[i]) if deadlines else deadline_s
        cached = new_tokens + new_padded * (len(batch) + 1)
        counts[length[i]] += 1
        if (
            fits(up + uplink[i], 1.0)
            and fits(down + downlink[i], 1.0)
            and fits(system.resident_bytes + system.kv_bytes(0, cached), system.edge_node.memory_bytes)
            and fits(
                system.compute_time_s(new_flops, new_padded, *system.billed(lengths, counts)), new_deadline_s
            )
        ):
            batch.append(i)
            padded, longest, flops, tokens = new_padded, new_longest, new_flops, new_tokens
            up, down, deadline_s = up + uplink[i], down + downlink[i], new_deadline_s
        else:
            counts[length[i]] -= 1
    return tuple(sorted(batch))


def admit_by(instance: Instance, key: NDArray[Any]) -> Schedule:
    """Admit the servable requests by rising `key`, ties in order of arrival.

    Parameters
    ----------
    key
        Key of each request, shape (requests,); the least is tried first.

    Returns
    -------
    Schedule
        Its upper bound is the number of servable requests: an order proves nothing better.
    """
    servable = np.flatnonzero(instance.servable())
    order = servable[np.argsort(key[servable], kind="stable")]
    return Schedule(admit_in_order(instance, order), upper_bound=servable.size)
