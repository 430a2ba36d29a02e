"""The roofline cost model: how long a batch takes beyond its arithmetic.

Every step reads weights and the KV cache of every live request; where that takes longer than the step's
arithmetic, it sets the pace. A step with A live requests at a context of c tokens waits for

    reads_s(A) - A (token_s + c context_s)

seconds where that is positive. Between two output lengths A stays the same and c rises by one a
step, so that the waits are a straight line, and their sum is that of an arithmetic series. A calibrated
roofline adds a constant time to each step.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from edgebatch.schema import Checked, real


class Roofline(Checked):
    """The cost model in which a step takes the longer of its arithmetic and its memory traffic.

    All but the bandwidth are ideal unless given; `edgebatch.calibration` fits them to measurements.

    Attributes
    ----------
    memory_bandwidth_bytes_per_s
        Memory bandwidth of all devices together.
    prefill_flops_share, decode_flops_share
        Shares of the FLOPS that the first stage and the later steps reach.
    attention_share
        What attention to the cache reaches in later steps, of what their other arithmetic reaches.
    bandwidth_share
        Share of the bandwidth that is reached.
    pooled_share
        What the devices together reach of the sum of what each reaches alone.
    step_s, layer_s
        Constant time of each step, and of each layer in each step.
    """

    memory_bandwidth_bytes_per_s: float = real(above=0)
    prefill_flops_share: float = real(above=0, default=1.0)
    decode_flops_share: float = real(above=0, default=1.0)
    attention_share: float = real(above=0, default=1.0)
    bandwidth_share: float = real(above=0, default=1.0)
    pooled_share: float = real(above=0, default=1.0)
    step_s: float = real(at_least=0, default=0.0)
    layer_s: float = real(at_least=0, default=0.0)


class Reads(NamedTuple):
    """Time to read the weights that a stage's tokens need, in seconds.

    Attributes
    ----------
    dense_s
        Of what every token needs.
    expert_s
        Of all experts; 0 without experts.
    missed_by_token
        Probability that a token is not routed to a given expert.
    """

    dense_s: float
    expert_s: float
    missed_by_token: float


class Pace(NamedTuple):
    """Arithmetic and memory traffic of a step against each other, in seconds.

    Attributes
    ----------
    prefill_reads, decode_reads
        Time to read the weights of the first stage and of a later step.
    token_s
        Time of the arithmetic that a request's next token takes whatever its context.
    context_s
        Time of the arithmetic on one token of context, less the time to read its KV cache.
    prefill_overhead_s, decode_overhead_s
        Constant time of the first stage and of each later step.
    """

    prefill_reads: Reads
    decode_reads: Reads
    token_s: float
    context_s: float
    prefill_overhead_s: float
    decode_overhead_s: float


def reads_s(reads: Reads, tokens: Any) -> Any:
    """Time to read weights for `tokens` tokens at once, in seconds.

    An expert is read if any of them is routed to it, which each is independently and with equal chances.
    """
    return reads.dense_s + reads.expert_s * (1 - reads.missed_by_token**tokens)


def beyond_arithmetic_s(pace: Pace, first_s: Any, prompt_tokens: Any, output_tokens: Any, counts: Any) -> Any:
    """Time that batches take beyond their arithmetic: waits for memory, and overheads, in seconds.

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
    prefill_s = reads_s(pace.prefill_reads, everyone * np.asarray(prompt_tokens, dtype=np.float64))
    first = np.maximum(0.0, prefill_s - everyone * first_s) + pace.prefill_overhead_s
    before = np.concatenate((np.ones_like(output_tokens[..., :1]), output_tokens[..., :-1]), axis=-1)
    steps = output_tokens - before
    context = np.asarray(prompt_tokens)[..., None] + before
    slope = live * pace.context_s
    start = reads_s(pace.decode_reads, live) - live * (pace.token_s + context * pace.context_s)
    top = np.maximum(start, start - (steps - 1) * slope)
    steep = np.abs(slope)
    until_zero = np.divide(top, steep, out=np.full_like(top, np.inf), where=steep > 0)
    waits = np.clip(np.ceil(until_zero), 0, steps)
    later = np.maximum(0.0, waits * (top - (waits - 1) * steep / 2)) + steps * pace.decode_overhead_s
    return np.where(everyone > 0, first, 0.0) + np.where(live > 0, later, 0.0).sum(axis=-1)
