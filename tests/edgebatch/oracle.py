"""Problem P1 by trying every subset, in whole numbers of unlimited size.

Shares no code with the package: it has the model's formulas term by term, and no rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import floor

from edgebatch import Instance
from tests.edgebatch.instances import sample

TOLERANCE = 1 + Fraction(1, 10**9)
SHARE_UNITS = 2**1074
"""Every float is a whole number of these parts of one."""


@cache
def request_flops(layers: int, d: int, f: int, s: int, n: int) -> int:
    """The first stage, and each later token in turn with the context that it attends to."""
    first = layers * (6 * s * d**2 + 4 * s**2 * d + 2 * s * d**2 + 4 * s * d * f)
    later = layers * sum(6 * d**2 + 4 * (s + j) * d + 2 * d**2 + 4 * d * f for j in range(1, n))
    return first + later


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

    most_flops = []
    for latency_s, waited_s in zip(instance.latency_s.tolist(), instance.waited_s.tolist(), strict=True):
        slack_s = (
            Fraction(latency_s) - Fraction(waited_s) - Fraction(slots.uplink_s) - Fraction(slots.downlink_s)
        )
        limit_s = min(Fraction(slots.compute_s), slack_s) * TOLERANCE
        most_flops.append(floor(limit_s * Fraction(node.flops) / Fraction(quantization.compute_factor)))

    def allows(batch: tuple[int, ...]) -> bool:
        padded = instance.system.fixed_padding_tokens or max(prompts[i] for i in batch)
        return (
            all(instance.accuracy[i] <= quantization.accuracy for i in batch)
            and sum(up[i] for i in batch) <= most_share
            and sum(down[i] for i in batch) <= most_share
            and sum(padded + outputs[i] for i in batch) <= most_tokens
            and sum(request_flops(layers, d, f, padded, outputs[i]) for i in batch)
            <= min(most_flops[i] for i in batch)
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
def sample_with_optima(count: int) -> tuple[tuple[Instance, int], ...]:
    """The random instances, each with its optimum."""
    return tuple((instance, optimum(instance)) for instance in sample(count))
