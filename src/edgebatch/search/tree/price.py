"""Memory and compute time of a node of the tree: how many requests of each output length a batch has."""

from __future__ import annotations

import numpy as np

from edgebatch.search.jit import compiled


@compiled()
def memory_bytes(cost, counts):  # type: ignore[no-untyped-def]
    """Memory of a batch with `counts` requests of each output length."""
    billed = _billed(cost, counts)
    total = cost.resident_bytes
    for length in range(billed.shape[0]):
        total += billed[length] * cost.request_bytes[length]
    return total


@compiled()
def compute_time_s(cost, counts):  # type: ignore[no-untyped-def]
    """Compute time t(S) of a batch with `counts` requests of each output length: equation (4)."""
    billed = _billed(cost, counts)
    flops = 0.0
    for length in range(billed.shape[0]):
        flops += billed[length] * cost.request_flops[length]
    if cost.arithmetic_alone:
        return flops * cost.seconds_per_flop
    return flops * cost.seconds_per_flop + _beyond_arithmetic_s(cost, billed)


@compiled()
def _billed(cost, counts):  # type: ignore[no-untyped-def]
    """How many requests are billed each output length: as they are, or all at the longest."""
    if not cost.bills_longest:
        return counts
    billed = np.zeros_like(counts)
    for length in range(counts.shape[0] - 1, -1, -1):
        if counts[length] > 0:
            billed[length] = counts.sum()
            break
    return billed


@compiled()
def _beyond_arithmetic_s(cost, counts):  # type: ignore[no-untyped-def]
    """Time beyond a batch's arithmetic, as `edgebatch.model.roofline.beyond_arithmetic_s`."""
    pace = cost.pace
    live = counts.sum()
    if live == 0:
        return 0.0
    total = max(0.0, _reads_s(pace.prefill_reads, live * cost.prompt_tokens) - live * cost.first_s)
    total += pace.prefill_overhead_s
    before = 1
    for length in range(counts.shape[0]):
        if counts[length] == 0:
            continue
        steps = cost.output_tokens[length] - before
        slope = live * pace.context_s
        start = _reads_s(pace.decode_reads, live)
        start -= live * (pace.token_s + (cost.prompt_tokens + before) * pace.context_s)
        top = max(start, start - (steps - 1) * slope)
        if steps > 0 and top > 0:
            steep = abs(slope)
            waits = steps if top >= steps * steep else np.ceil(top / steep)
            total += waits * (top - (waits - 1) * steep / 2)
        total += steps * pace.decode_overhead_s
        before += steps
        live -= counts[length]
    return total


@compiled()
def _reads_s(reads, tokens):  # type: ignore[no-untyped-def]
    """Time to read weights for `tokens` tokens at once, as `edgebatch.model.roofline.reads_s`."""
    if reads.expert_s == 0:
        return reads.dense_s
    return reads.dense_s + reads.expert_s * (1 - reads.missed_by_token**tokens)


@compiled()
def size_bound_by_compute(levels, cost, budgets):  # type: ignore[no-untyped-def]
    """Largest batch that compute time and deadlines alone allow, over every tightest request."""
    lengths = cost.request_bytes.shape[0]
    here = np.zeros(lengths, np.int64)
    best = 0
    for d in range(levels.chain.shape[0]):
        here[levels.length[levels.chain[d]]] += 1
        limit = levels.deadline_s[d] * (1 + budgets.relative_tolerance)
        while best <= d:
            # one more than the best so far, shortest outputs first
            counts = np.zeros(lengths, np.int64)
            needed = best + 1
            for g in range(lengths):
                counts[g] = min(here[g], needed)
                needed -= counts[g]
            if compute_time_s(cost, counts) > limit:
                break
            best += 1
    return best
