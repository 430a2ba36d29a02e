"""Prices of batches for DFTSP's search; `tree/price.py` applies them.

The search knows a batch by its padded prompt length and by how many of its requests have each
output length. It relies on one property of the cost model: memory and compute time rise when a request is
added, and when one is replaced by a request with a longer output. With `flops` and requests billed their own
output they are linear in these counts, otherwise not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.roofline import Pace
from edgebatch.model.system import System


class BatchCost(NamedTuple):
    """Prices at one padded prompt length. Arrays have an entry for each output length, rising.

    Attributes
    ----------
    resident_bytes
        Memory that is taken whatever the batch.
    request_bytes
        Memory of one request, shape (output lengths,).
    request_flops
        FLOPs of one request, as `System.work_flops` counts them, shape (output lengths,).
    seconds_per_flop
        Compute time of one FLOP.
    arithmetic_alone
        Whether nothing else takes time, as memory traffic does; then `first_s` and `pace` are not used.
    bills_longest
        Whether every request is billed the longest output of its batch.
    prompt_tokens
        Padded prompt length.
    output_tokens
        The output lengths, shape (output lengths,).
    first_s
        Time of a request's arithmetic in prefill, less the time to read its KV cache.
    pace
        Arithmetic and memory traffic of one decode step.
    """

    resident_bytes: float
    request_bytes: NDArray[np.float64]
    request_flops: NDArray[np.float64]
    seconds_per_flop: float
    arithmetic_alone: bool
    bills_longest: bool
    prompt_tokens: int
    output_tokens: NDArray[np.int64]
    first_s: float
    pace: Pace


def batch_cost(system: System, padded_prompt_tokens: int, output_tokens: NDArray[np.int64]) -> BatchCost:
    """Prices of batches padded to `padded_prompt_tokens`, for the given output lengths, rising."""
    flops = system.work_flops(np.full_like(output_tokens, padded_prompt_tokens), output_tokens)
    return BatchCost(
        resident_bytes=float(system.resident_bytes),
        request_bytes=np.asarray(system.kv_bytes(padded_prompt_tokens, output_tokens), dtype=np.float64),
        request_flops=np.asarray(flops, dtype=np.float64),
        seconds_per_flop=float(system.seconds_per_flop),
        arithmetic_alone=system.arithmetic_alone,
        bills_longest=system.bills_longest,
        prompt_tokens=padded_prompt_tokens,
        output_tokens=output_tokens,
        first_s=float(system.first_s(padded_prompt_tokens)),
        pace=system.pace,
    )
