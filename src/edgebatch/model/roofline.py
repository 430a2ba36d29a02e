"""The roofline cost model: how long a batch waits for memory beyond its arithmetic.

Every step reads all weights and the KV cache of every live request; where that takes longer than the
step's arithmetic, it sets the pace. A step with A live requests at a context of c tokens waits for

    weights_s - A (token_s + c context_s)

seconds where that is positive. Between two output lengths A stays the same and c rises by one a
step, so that the waits are a straight line, and their sum is that of an arithmetic series.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edgebatch.schema import Checked, real


class Roofline(Checked):
    """The cost model in which a step takes the longer of its arithmetic and its memory traffic.

    Attributes
    ----------
    memory_bandwidth_bytes_per_s
        Memory bandwidth of all devices together.
    """

    memory_bandwidth_bytes_per_s: float = real(above=0)


class Pace(NamedTuple):
    """Arithmetic and memory traffic of a step against each other, in seconds.

    Attributes
    ----------
    weights_s
        Time to read all weights.
    token_s
        Time of the arithmetic that a request's next token takes whatever its context.
    context_s
        Time of the arithmetic on one token of context, less the time to read its KV cache.
    """

    weights_s: float
    token_s: float
    context_s: float


def stall_s(pace: Pace, first_s: Any, prompt_tokens: Any, output_tokens: Any, counts: Any) -> Any:
    """Time that batches wait for memory beyond their arithmetic, first stage included.

    Parameters
    ----------
    first_s
        Time of a request's arithmetic in the first stage, less the time to read its KV cache.
    prompt_tokens
        Padded prompt length of each batch, of the shape of `first_s`: (...).
    output_tokens
        Output lengths, rising along the last axis, shape (lengths,) or (..., lengths).
    counts
        How many requests of each batch have each length, shape (lengths,) or (..., lengths).
    """
    live = np.cumsum(counts[..., ::-1], axis=-1, dtype=np.float64)[..., ::-1]
    everyone = np.sum(counts, axis=-1)
    first = np.where(everyone > 0, np.maximum(0.0, pace.weights_s - everyone * first_s), 0.0)
    before = np.concatenate((np.ones_like(output_tokens[..., :1]), output_tokens[..., :-1]), axis=-1)
    steps = output_tokens - before
    context = np.asarray(prompt_tokens)[..., None] + before
    slope = live * pace.context_s
    start = pace.weights_s - live * (pace.token_s + context * pace.context_s)
    top = np.maximum(start, start - (steps - 1) * slope)
    steep = np.abs(slope)
    until_zero = np.divide(top, steep, out=np.full_like(top, np.inf), where=steep > 0)
    waits = np.clip(np.ceil(until_zero), 0, steps)
    later = np.maximum(0.0, waits * (top - (waits - 1) * steep / 2))
    return first + np.where(live > 0, later, 0.0).sum(axis=-1)
