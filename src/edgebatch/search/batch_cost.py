"""Prices of a batch, step by step, of any cost model: its exact cost, and linear bounds on its compute time.

A batch of A requests with padded prompt s' and longest output N runs N steps. In step j >= 2, A_j requests
are live, at a context of s' + j - 1 tokens. Every step takes a constant, and the longer of its arithmetic
and its memory traffic; each of the two is a sum over the live requests, but for the reading of weights.

To count memory traffic in some steps and arithmetic in the others gives a lower bound on the compute time
that is linear in the requests, whatever steps those are. It is exact at a batch that waits for memory in just
those steps. Experts are read by a concave function of the live requests; a chord over the range that their
number can have bounds it from below.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.system import System
from edgebatch.problem import RELATIVE_TOLERANCE, Instance
from edgebatch.search.jit import compiled


class Prices(NamedTuple):
    """What batches cost, whatever is in them. Times in seconds, all at least 0.

    Attributes
    ----------
    batch_max
        Whether each request is billed the batch's longest output instead of its own.
    memory_tokens
        Tokens of KV cache that the memory holds beside the weights, tolerance included.
    constant_first_s, constant_s
        The first stage, and each later step, whatever is live.
    first_fixed_s, first_s, first_square_s
        Arithmetic of a request's first stage: first_fixed_s + first_s s' + first_square_s s'^2.
    token_s, context_s
        Arithmetic of a request's step at context c: token_s + context_s c.
    kv_read_s
        Reading of the KV cache of one token.
    dense_first_s, dense_s
        Reading of the weights that every first stage, and every later step, reads.
    expert_first_s, expert_s
        Reading of all experts in the first stage, and in a later step; 0 where a model has none.
    expert_missed
        Probability that a token is not routed to a given expert.
    """

    batch_max: bool
    memory_tokens: float
    constant_first_s: float
    constant_s: float
    first_fixed_s: float
    first_s: float
    first_square_s: float
    token_s: float
    context_s: float
    kv_read_s: float
    dense_first_s: float
    dense_s: float
    expert_first_s: float
    expert_s: float
    expert_missed: float


class Candidates(NamedTuple):
    """The candidates of a search, in order of rising output.

    Attributes
    ----------
    uplink, downlink
        Shares of the two bands, tolerance taken off, shape (candidates,).
    value
        Padded prompt and output in tokens, and the deadline with a minus sign, tolerance included, shape
        (3, candidates). The largest of each over a batch decides what the batch costs and may take.
    order
        The candidates by each value, rising, shape (3, candidates); a row may end earlier, with a -1.
    rank
        Place of each candidate's output in `lengths`.
    lengths
        Distinct outputs in tokens, rising.
    prices
        What batches cost.
    """

    uplink: NDArray[np.float64]
    downlink: NDArray[np.float64]
    value: NDArray[np.float64]
    order: NDArray[np.int64]
    rank: NDArray[np.int64]
    lengths: NDArray[np.float64]
    prices: Prices


def prices_of(system: System) -> Prices:
    """Prices of the batches of a system."""
    flops, pace, first_s = system.prefill_flops, system.pace, system.seconds_per_flop
    later_s = system.decode_weight * first_s
    token_bytes = system.kv_bytes(0, 1)
    # weights that nearly fill the memory leave little but rounding: a hair more, to lose no exact fit
    room_bytes = system.edge_node.memory_bytes * (1 + RELATIVE_TOLERANCE + 1e-15) - system.resident_bytes
    fixed = flops(0)
    square = (flops(2) - 2 * flops(1) + fixed) / 2
    return Prices(
        batch_max=bool(system.bills_longest),
        memory_tokens=float(room_bytes / token_bytes) if token_bytes > 0 else np.inf,
        constant_first_s=float(pace.prefill_overhead_s),
        constant_s=float(pace.decode_overhead_s),
        first_fixed_s=float(fixed * first_s),
        first_s=float((flops(1) - fixed - square) * first_s),
        first_square_s=float(square * first_s),
        token_s=float(pace.token_s),
        context_s=float(system.context_flops * later_s),
        kv_read_s=float(token_bytes * system.seconds_per_byte),
        dense_first_s=float(pace.prefill_reads.dense_s),
        dense_s=float(pace.decode_reads.dense_s),
        expert_first_s=float(pace.prefill_reads.expert_s),
        expert_s=float(pace.decode_reads.expert_s),
        expert_missed=float(pace.decode_reads.missed_by_token),
    )


def candidates_of(instance: Instance, requests: NDArray[np.int64]) -> tuple[NDArray[np.int64], Candidates]:
    """The candidates `requests` by rising output: indices into the instance, and what a search reads."""
    outputs = instance.output_tokens[requests]
    by_output = _rising(outputs)
    order, outputs = requests[by_output], outputs[by_output]
    longer = np.diff(outputs, prepend=outputs[:1]) > 0
    padded = instance.padded(instance.prompt_tokens[order])
    # budgets include the tolerance of the checker
    slack = 1 + RELATIVE_TOLERANCE
    urgency_s = -instance.deadline_s[order] * slack
    return order, Candidates(
        uplink=instance.uplink_share[order] / slack,
        downlink=instance.downlink_share[order] / slack,
        value=np.stack((padded, outputs, urgency_s)),
        order=np.stack((_rising(padded), np.arange(order.size), np.argsort(urgency_s, kind="stable"))),
        rank=np.cumsum(longer),
        lengths=np.append(outputs[:1], outputs[longer]).astype(np.float64),
        prices=prices_of(instance.system),
    )


def _rising(tokens: NDArray[np.int64]) -> NDArray[np.int64]:
    """Stable order of whole numbers: as unique keys, they can be sorted by the fastest method."""
    keys = tokens * tokens.size + np.arange(tokens.size)
    keys.sort()
    order: NDArray[np.int64] = keys % tokens.size
    return order


@compiled(error_model="numpy", inner=True)
def _experts_read_s(prices, all_s, tokens):  # type: ignore[no-untyped-def]
    """Time to read the experts that `tokens` tokens are routed to, of `all_s` for all experts."""
    if all_s == 0:
        return 0.0
    return all_s * (1 - prices.expert_missed**tokens)


@compiled(error_model="numpy", inner=True)
def waiting_steps(prices, live, read_s, context, steps):  # type: ignore[no-untyped-def]
    """How many of `steps` steps from `context` on wait for memory, and the longest of these waits.

    The waits are a straight line. So the steps that wait are the first of all if arithmetic grows faster
    with the context than reading, else the last.
    """
    slope = live * (prices.context_s - prices.kv_read_s)
    wait = read_s - live * prices.token_s - context * slope
    if slope < 0:
        wait -= (steps - 1) * slope
    if wait <= 0:
        return 0.0, 0.0
    if slope == 0 or wait >= steps * abs(slope):
        return steps, wait
    return min(steps, np.ceil(wait / abs(slope))), wait


@compiled(error_model="numpy", inner=True)
def duration(candidates, batch, count, padded):  # type: ignore[no-untyped-def]
    """Compute time of the first `count` of `batch`, by rising output, padded to `padded` tokens."""
    prices = candidates.prices
    arithmetic_s = count * (prices.first_fixed_s + padded * (prices.first_s + prices.first_square_s * padded))
    read_s = prices.dense_first_s + _experts_read_s(prices, prices.expert_first_s, count * padded)
    total = prices.constant_first_s + max(arithmetic_s, read_s + count * padded * prices.kv_read_s)
    before = 1.0
    for j in range(count):
        output = candidates.value[1, batch[count - 1 if prices.batch_max else j]]
        if output > before:
            live, steps, context = float(count - j), output - before, padded + before
            step_s = prices.token_s + (context + (steps - 1) / 2) * prices.context_s
            total += steps * (prices.constant_s + live * step_s)
            read_s = prices.dense_s + _experts_read_s(prices, prices.expert_s, live)
            waits, wait = waiting_steps(prices, live, read_s, context, steps)
            slope = live * abs(prices.context_s - prices.kv_read_s)
            total += waits * (wait - (waits - 1) * slope / 2)
            before = output
    return total


@compiled(error_model="numpy", inner=True)
def is_feasible(candidates, batch, count):  # type: ignore[no-untyped-def]
    """Whether the first `count` of `batch`, by rising output, are within every budget."""
    prices = candidates.prices
    if count == 0:
        return True
    uplink, downlink, padded, urgency_s, outputs = 0.0, 0.0, 0.0, -np.inf, 0.0
    for j in range(count):
        i = batch[j]
        uplink += candidates.uplink[i]
        downlink += candidates.downlink[i]
        padded = max(padded, candidates.value[0, i])
        outputs += candidates.value[1, i]
        urgency_s = max(urgency_s, candidates.value[2, i])
    if prices.batch_max:
        outputs = count * candidates.value[1, batch[count - 1]]
    if uplink > 1 or downlink > 1 or count * padded + outputs > prices.memory_tokens:
        return False
    return duration(candidates, batch, count, padded) <= -urgency_s


@compiled(error_model="numpy", inner=True)
def count_waits(candidates, live, most, padded, waits):  # type: ignore[no-untyped-def]
    """Fill `waits` with the steps that wait for memory if `live` requests are live.

    Parameters
    ----------
    live
        For each output length, the requests live up to it from the length before, shape (lengths,).
    most
        Number of requests in the first stage.
    waits
        Number of such steps up to each length from the length before; last, whether the first stage
        waits, shape (lengths + 1,).
    """
    prices = candidates.prices
    before = 1.0
    for r in range(live.size):
        steps = candidates.lengths[r] - before
        read_s = prices.dense_s + _experts_read_s(prices, prices.expert_s, live[r])
        waits[r] = waiting_steps(prices, live[r], read_s, padded + before, steps)[0]
        before = candidates.lengths[r]
    read_s = prices.dense_first_s + _experts_read_s(prices, prices.expert_first_s, most * padded)
    arithmetic_s = prices.first_fixed_s
    arithmetic_s += padded * (prices.first_s + prices.first_square_s * padded - prices.kv_read_s)
    waits[live.size] = 1.0 if read_s > most * arithmetic_s else 0.0


@compiled(error_model="numpy", inner=True)
def _chord(prices, all_s, low, high, tokens):  # type: ignore[no-untyped-def]
    """Slope, and value at 0, of the chord of the experts' reading over `low` to `high` requests."""
    if all_s == 0:
        return 0.0, 0.0
    start_s = _experts_read_s(prices, all_s, low * tokens)
    slope = 0.0
    if high > low:
        slope = (_experts_read_s(prices, all_s, high * tokens) - start_s) / (high - low)
    return slope, start_s - slope * low


@compiled(error_model="numpy", inner=True)
def linear_time(candidates, waits, fewest, most, padded, first, table):  # type: ignore[no-untyped-def]
    """Linear lower bound on the compute time, exact where batches wait in the steps `waits`.

    A request of output rank r, padded to s, counts first[0] s + first[1] s^2 + first[2] + table[0, r]
    + table[1, r] s, and a batch of longest output rank r counts table[2, r] besides.

    Parameters
    ----------
    waits
        As of `count_waits`, shape (lengths + 1,).
    fewest, most
        Range of the requests that are live up to each length from the length before; last, of those in
        the first stage, shape (lengths + 1,).
    padded
        The least padded prompt length.
    """
    prices, count = candidates.prices, candidates.lengths.size
    reads = waits[count] > 0
    slope, start_s = _chord(prices, prices.expert_first_s, fewest[count], most[count], padded)
    first[0] = prices.kv_read_s if reads else prices.first_s
    first[1] = 0.0 if reads else prices.first_square_s
    first[2] = slope if reads else prices.first_fixed_s
    fixed_s = prices.constant_first_s + (prices.dense_first_s + start_s if reads else 0.0)
    step_s, context_s, before = 0.0, 0.0, 1.0
    dearer_s = prices.context_s - prices.kv_read_s
    for r in range(count):
        steps, waiting = candidates.lengths[r] - before, waits[r]
        step_s += steps * (prices.token_s + (before + (steps - 1) / 2) * prices.context_s)
        context_s += steps * prices.context_s
        fixed_s += steps * prices.constant_s
        if waiting > 0:
            slope, start_s = _chord(prices, prices.expert_s, fewest[r], most[r], 1.0)
            middle = (waiting - 1) / 2 if dearer_s > 0 else steps - 1 - (waiting - 1) / 2
            step_s += waiting * (slope - prices.token_s - (before + middle) * dearer_s)
            context_s -= waiting * dearer_s
            fixed_s += waiting * (prices.dense_s + start_s)
        table[0, r], table[1, r], table[2, r] = step_s, context_s, fixed_s
        before = candidates.lengths[r]
