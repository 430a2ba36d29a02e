"""Static batching (StB): first come first served, with a batch size that is fixed in advance."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from edgebatch.errors import InputError, one_of
from edgebatch.problem import Instance, Schedule, fits
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schema import LARGEST_COUNT

ADMISSIONS = ("feasible", "blind")


def schedule(instance: Instance, *, batch_size: int | str = "auto", admission: str = "feasible") -> Schedule:
    """Fill one batch in order of arrival, up to a fixed size.

    Parameters
    ----------
    batch_size
        The fixed size. ``auto`` is the largest that fits into memory and the compute slot if every
        request has the longest prompt and output that the service admits.
    admission
        ``feasible`` skips a request that breaks a constraint. ``blind`` ignores latency requirements, and
        misses the requests whose requirement the batch then breaks.
    """
    if admission not in ADMISSIONS:
        raise InputError("admission", repr(admission), one_of(admission, ADMISSIONS))
    size = worst_case_batch_size(instance) if batch_size == "auto" else _whole(batch_size)
    bound = int(instance.servable().sum())
    if admission == "feasible":
        order = np.flatnonzero(instance.servable())
        return Schedule(admit_in_order(instance, order, size), upper_bound=bound)
    order = np.flatnonzero(instance.accurate())
    running = admit_in_order(instance, order, size, deadlines=False)
    padded = instance.system.fixed_padding_tokens or max(
        (int(instance.prompt_tokens[i]) for i in running), default=0
    )
    lengths, counts = np.unique(instance.output_tokens[list(running)], return_counts=True)
    compute_s = instance.system.batch_time_s(padded, lengths, counts)
    served = tuple(i for i in running if fits(compute_s, instance.deadline_s[i]))
    missed = tuple(i for i in running if i not in served)
    return Schedule(served, missed, upper_bound=max(bound, len(served)))


def worst_case_batch_size(instance: Instance) -> int:
    """Size of the largest batch of longest admitted requests that fits into memory and the compute slot."""
    system = instance.system
    prompt = system.fixed_padding_tokens or instance.longest_prompt_tokens
    output = instance.longest_output_tokens
    request_flops = system.work_flops(prompt, output)

    def exceeds(size: int) -> bool:
        compute_s = system.compute_time_s(size * request_flops, prompt, np.array([output]), np.array([size]))
        memory_bytes = system.resident_bytes + system.kv_bytes(prompt, output) * size
        held = fits(compute_s, system.slots.compute_s) & fits(memory_bytes, system.edge_node.memory_bytes)
        return not held

    # both costs rise with the size
    return bisect_left(range(1, LARGEST_COUNT + 1), True, key=exceeds)


def _whole(batch_size: int | str) -> int:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise InputError("batch_size", repr(batch_size), "auto or a whole number at least 1")
    return batch_size
