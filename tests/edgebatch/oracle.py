"""Problem P1 by trying every subset, in whole numbers of unlimited size.

Shares no code with the package: it has the model's formulas term by term, and no rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import floor, lcm

from edgebatch import Instance, System
from edgebatch.model.roofline import Roofline
from tests.edgebatch.instances import sample, under_roofline

TOLERANCE = 1 + Fraction(1, 10**9)
SHARE_UNITS = 2**1074
"""Every float is a whole number of these parts of one."""


@cache
def request_flops(layers: int, d: int, f: int, s: int, n: int) -> int:
    """The first stage, and each later token in turn with the context that it attends to."""
    first = layers * (6 * s * d**2 + 4 * s**2 * d + 2 * s * d**2 + 4 * s * d * f)
    later = layers * sum(6 * d**2 + 4 * (s + j) * d + 2 * d**2 + 4 * d * f for j in range(1, n))
    return first + later


def batch_time(system: System) -> tuple[Callable[[int, tuple[int, ...]], int], int]:
    """The time of a batch, from its padded length and its outputs, in parts; and how many make a second."""
    quantization, node, llm = system.quantization, system.edge_node, system.llm
    layers, d, f = llm.layers, llm.hidden_size, llm.ffn_size
    flop_s = Fraction(quantization.compute_factor) / Fraction(node.flops)
    if not isinstance(system.cost, Roofline):

        def arithmetic(padded: int, outputs: tuple[int, ...]) -> int:
            return flop_s.numerator * sum(request_flops(layers, d, f, padded, n) for n in outputs)

        return arithmetic, flop_s.denominator

    byte_s = 1 / Fraction(system.cost.memory_bandwidth_bytes_per_s)
    weights_s = Fraction(quantization.weight_bits) / 16 * layers * (8 * d**2 + 4 * d * f) * byte_s
    token_s = Fraction(quantization.kv_bits) / 16 * 4 * layers * d * byte_s
    parts = lcm(flop_s.denominator, weights_s.denominator, token_s.denominator)
    flop, weights, token = int(flop_s * parts), int(weights_s * parts), int(token_s * parts)

    @cache
    def step_by_step(padded: int, outputs: tuple[int, ...]) -> int:
        first = len(outputs) * request_flops(layers, d, f, padded, 1)
        total = max(flop * first, weights + token * padded * len(outputs))
        for j in range(2, max(outputs) + 1):
            live = sum(n >= j for n in outputs)
            flops = live * layers * (8 * d**2 + 4 * d * f + 4 * (padded + j - 1) * d)
            total += max(flop * flops, weights + token * (padded + j - 1) * live)
        return total

    return (lambda padded, outputs: step_by_step(padded, tuple(sorted(outputs)))), parts


def judge(instance: Instance) -> Callable[[tuple[int, ...]], bool]:
    """A function that tells whether a batch that is not empty meets every constraint."""
    slots, quantization = instance.system.slots, instance.system.quantization
    node, llm = instance.system.edge_node, instance.system.llm
    layers, d, f = llm.layers, llm.hidden_size, llm.ffn_size
    prompts, outputs = instance.prompt_tokens.tolist(), instance.output_tokens.tolist()

    weight_bytes = Fraction(quantization.weight_bits) / 16 * layers * (8 * d**2 + 4 * d * f)
    token_bytes = Fraction(quantization.kv_bits) / 16 * 4 * layers * d
    most_tokens = floor((Fraction(node.memory_bytes) * TOLERANCE - weight_bytes) / token_bytes)

    most_share = floor(SHARE_UNITS * TOLERANCE)
    up = [int(Fraction(u) * SHARE_UNITS) for u in instance.uplink_share.tolist()]
    down = [int(Fraction(v) * SHARE_UNITS) for v in instance.downlink_share.tolist()]

    time, parts_of_second = batch_time(instance.system)
    most_time = []
    for latency_s, waited_s in zip(instance.latency_s.tolist(), instance.waited_s.tolist(), strict=True):
        slack_s = (
            Fraction(latency_s) - Fraction(waited_s) - Fraction(slots.uplink_s) - Fraction(slots.downlink_s)
        )
        limit_s = min(Fraction(slots.compute_s), slack_s) * TOLERANCE
        most_time.append(floor(limit_s * parts_of_second))

    def allows(batch: tuple[int, ...]) -> bool:
        padded = instance.system.fixed_padding_tokens or max(prompts[i] for i in batch)
        return (
            all(instance.accuracy[i] <= quantization.accuracy for i in batch)
            and sum(up[i] for i in batch) <= most_share
            and sum(down[i] for i in batch) <= most_share
            and sum(padded + outputs[i] for i in batch) <= most_tokens
            and time(padded, tuple(outputs[i] for i in batch)) <= min(most_time[i] for i in batch)
        )

    return allows


def optimum(instance: Instance) -> int:
    """Size of the largest feasible batch."""
    allows = judge(instance)
    for size in range(instance.size, 0, -1):
        if any(allows(batch) for batch in combinations(range(instance.size), size)):
            return size
    return 0


@cache
def sample_with_optima(count: int, cost: str = "flops") -> tuple[tuple[Instance, int], ...]:
    """The random instances under a cost model, each with its optimum."""
    found = sample(count) if cost == "flops" else map(under_roofline, sample(count))
    return tuple((instance, optimum(instance)) for instance in found)
