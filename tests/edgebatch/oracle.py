"""Problem P1 by trying every subset, with shares and memory in fractions of unlimited size.

Shares no code with the package: it has the model's formulas term by term, and rounds compute time alone.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from itertools import combinations
from math import floor
from typing import Any

import numpy as np

from edgebatch import Instance, Llm, System
from edgebatch.model.roofline import Roofline
from tests.edgebatch.instances import sample, under_roofline
from tests.edgebatch.layer_oracle import Layers

TOLERANCE = 1 + Fraction(1, 10**9)
SHARE_UNITS = 2**1074
"""Every float is a whole number of these parts of one."""


@cache
def request_flops(layers: int, d: int, f: int, s: int, n: int) -> int:
    """The first stage, and each later token in turn with the context that it attends to."""
    first = layers * (6 * s * d**2 + 4 * s**2 * d + 2 * s * d**2 + 4 * s * d * f)
    later = layers * sum(6 * d**2 + 4 * (s + j) * d + 2 * d**2 + 4 * d * f for j in range(1, n))
    return first + later


class Shape:
    """Whole numbers of a transformer, counted matrix by matrix: weights, and FLOPs of one token."""

    def __init__(self, llm: Llm) -> None:
        head = llm.head_size or llm.hidden_size // llm.query_heads
        d, queries, keys = llm.hidden_size, llm.query_heads * head, llm.kv_heads * head
        self.llm, self.keys, self.queries = llm, keys, queries
        self.attention = d * queries + d * keys + d * keys + queries * d
        expert = llm.ffn_matrices * d * llm.ffn_size
        self.router = d * llm.experts if llm.experts > 1 else 0
        self.always = self.router if llm.experts > 1 else expert
        self.routed = expert * llm.experts if llm.experts > 1 else 0
        self.worked = expert * llm.active_experts
        self.crossed = llm.layers > 0 and llm.encoder_layers > 0
        self.output_layer = d * llm.vocabulary if llm.layers else 0

    def weights(self) -> int:
        attentions = self.llm.encoder_layers + self.llm.layers * (2 if self.crossed else 1)
        layers = self.llm.encoder_layers + self.llm.layers
        embeddings = self.llm.hidden_size * self.llm.vocabulary * (1 if self.llm.tied_embeddings else 2)
        return attentions * self.attention + layers * (self.always + self.routed) + embeddings

    def token_flops(self, context: int) -> int:
        """One token through the decoder, with `context` tokens in all to attend to."""
        passed = self.attention + self.worked
        if self.crossed:  # queries and output of cross-attention; its keys are there from the first stage
            passed += 2 * self.llm.hidden_size * self.queries
        attended = self.llm.layers * 2 * 2 * context * self.queries
        return 2 * self.llm.layers * passed + attended + 2 * self.output_layer

    def first_flops(self, s: int) -> int:
        layers = self.llm.encoder_layers or self.llm.layers
        prompt = layers * (2 * s * (self.attention + self.worked) + 2 * 2 * s * s * self.queries)
        if not self.crossed:
            return prompt + 2 * self.output_layer
        keys = self.llm.layers * 2 * s * 2 * self.llm.hidden_size * self.keys
        return prompt + keys + self.token_flops(s)

    def read_weights(self, tokens: Any, first: bool) -> Any:
        """Weights that `tokens` tokens read in a step; each expert by the chance that one is routed to it."""
        llm = self.llm
        hit = 1 - (1 - llm.active_experts / llm.experts) ** tokens
        layers, attentions = llm.layers, llm.layers * self.attention
        if self.crossed and not first:
            attentions += llm.layers * 2 * llm.hidden_size * self.queries
        if self.crossed and first:
            attentions += llm.layers * self.attention
        if first:
            layers, attentions = layers + llm.encoder_layers, attentions + llm.encoder_layers * self.attention
        return attentions + layers * (self.always + self.routed * hit) + self.output_layer


MOST_CONTEXT = 2048
"""Steps are priced up to this context at once."""


def batch_time_s(system: System) -> Callable[[int, tuple[int, ...]], float]:
    """The time of a batch, from its padded length and its billed outputs, step by step.

    Its rounding is far below the tolerance of the budgets.
    """
    quantization, node, llm, shape = system.quantization, system.edge_node, system.llm, Shape(system.llm)
    roofline = system.cost if isinstance(system.cost, Roofline) else Roofline(1.0)
    flop_s = quantization.compute_factor / node.flops / roofline.pooled_share
    byte_s = 1 / roofline.memory_bandwidth_bytes_per_s / roofline.bandwidth_share / roofline.pooled_share
    token_bytes = quantization.kv_bits / 16 * 4 * llm.layers * shape.keys
    layers = None if llm.encoder_layers else Layers(system)
    more_flops, load_s, serving_share = 0.0, 0.0, 1.0
    if layers is not None:
        more_flops, load_s, serving_share = layers.more_flops(), layers.load_s(), layers.serving_share()

    def step_s(first: bool, live: int, context: Any) -> Any:
        """Time of a step at a context, or at each of an array of contexts."""
        if first:
            flops = live * (shape.first_flops(context) + more_flops * context)
        else:
            attention = shape.token_flops(context) - shape.token_flops(0)
            flops = live * (shape.token_flops(0) + more_flops + attention / roofline.attention_share)
        if system.cost == "flops":
            return (flops * flop_s + load_s) / serving_share
        reached = roofline.prefill_flops_share if first else roofline.decode_flops_share
        tokens = live * context if first else live
        if layers is not None:
            read = layers.read_bytes(tokens)
        else:
            read = quantization.weight_bits / 8 * shape.read_weights(tokens, first)
        traffic_s = (read + token_bytes * context * live) * byte_s
        deep = llm.layers + (llm.encoder_layers if first else 0)
        overhead_s = roofline.step_s + deep * roofline.layer_s + load_s
        return (np.maximum(flops * flop_s / reached, traffic_s) + overhead_s) / serving_share

    @cache
    def sums_s(live: int, blocks: int) -> Any:
        """Sums of later steps with so many live requests, over contexts from 0 on."""
        contexts = np.arange(blocks * MOST_CONTEXT, dtype=np.float64)
        return np.concatenate(([0.0], np.cumsum(step_s(False, live, contexts))))

    @cache
    def sorted_s(padded: int, outputs: tuple[int, ...]) -> float:
        total, before = float(step_s(True, len(outputs), padded)), 1
        blocks = 1 + (padded + outputs[-1]) // MOST_CONTEXT
        for done, n in enumerate(outputs):
            # step j has a context of padded + j - 1 tokens
            sums = sums_s(len(outputs) - done, blocks)
            total += float(sums[padded + n] - sums[padded + before])
            before = n
        return total

    return lambda padded, outputs: sorted_s(padded, tuple(sorted(outputs)))


def judge(instance: Instance) -> Callable[[tuple[int, ...]], bool]:
    """A function that tells whether a batch that is not empty meets every constraint."""
    system = instance.system
    slots, quantization, node, shape = system.slots, system.quantization, system.edge_node, Shape(system.llm)
    prompts, outputs = instance.prompt_tokens.tolist(), instance.output_tokens.tolist()

    resident = Fraction(quantization.weight_bits) / 8 * shape.weights()
    if quantization.tells_layers or system.storage or system.tuning:
        resident = Fraction(Layers(system).resident_bytes())
    room = Fraction(node.memory_bytes) * TOLERANCE - resident
    token_bytes = Fraction(quantization.kv_bits) / 16 * 4 * system.llm.layers * shape.keys

    most_share = floor(SHARE_UNITS * TOLERANCE)
    up = [int(Fraction(u) * SHARE_UNITS) for u in instance.uplink_share.tolist()]
    down = [int(Fraction(v) * SHARE_UNITS) for v in instance.downlink_share.tolist()]

    time_s = batch_time_s(system)
    limit_s = []
    for latency_s, waited_s in zip(instance.latency_s.tolist(), instance.waited_s.tolist(), strict=True):
        slack_s = (
            Fraction(latency_s) - Fraction(waited_s) - Fraction(slots.uplink_s) - Fraction(slots.downlink_s)
        )
        limit_s.append(float(min(Fraction(slots.compute_s), slack_s) * TOLERANCE))

    def allows(batch: tuple[int, ...]) -> bool:
        padded = system.fixed_padding_tokens or max(prompts[i] for i in batch)
        billed = [outputs[i] for i in batch]
        if system.output_billing == "batch_max":
            billed = [max(billed)] * len(billed)
        return (
            all(instance.accuracy[i] <= quantization.accuracy for i in batch)
            and sum(up[i] for i in batch) <= most_share
            and sum(down[i] for i in batch) <= most_share
            and token_bytes * sum(padded + n for n in billed) <= room
            and time_s(padded, tuple(billed)) <= min(limit_s[i] for i in batch)
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
