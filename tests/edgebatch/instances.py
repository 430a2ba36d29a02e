"""Instances for the tests: small ones with round costs, and random ones in which every budget can bind."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from edgebatch import EdgeNode, Instance, Llm, Quantization, Slots, System
from edgebatch.model.roofline import Roofline
from edgebatch.problem import COLUMNS

BLOOM_3B = Llm(layers=30, hidden_size=2560, ffn_size=10240)

UNIT = Llm(layers=1, hidden_size=1, ffn_size=1)
"""Weights 8 + 4 = 12 bytes; KV 4 bytes a token; FLOPs 12 s + 4 s^2 + (n - 1)(12 + 4 s + 2 n).

So a request with s = n = 1 costs 16 FLOPs and 8 bytes; (s, n) = (1, 2) costs 36, (2, 1) 40, (2, 2) 64.
"""

steady = settings(derandomize=True, deadline=None, database=None, max_examples=60)
"""Hypothesis settings under which every run tries the same examples."""

TRACE = Path(__file__).parents[2] / "benchmarks" / "azure_conversations_2023.csv"
"""Prompt and output lengths of a public trace of chat requests."""

KINDS = tuple(
    {"regime": regime, "padding": padding, "fading": fading, "lengths": lengths, "ties": ties, "cost": cost}
    for regime, padding, fading, lengths, ties, cost in product(
        ("paper", "bandwidth_bound", "memory_bound", "balanced"),
        ("batch_max", "fixed"),
        ("shared", "separate"),
        ("grid", "arbitrary", "one", "trace"),
        (False, True),
        ("flops",),
    )
)

BILLINGS = ("own", "batch_max")

KINDS_OF_ALL_COSTS = tuple(
    kind | {"cost": cost, "billing": billing}
    for kind, cost, billing in product(KINDS, ("flops", "roofline"), BILLINGS)
)

MODELS_OF_TODAY = ("grouped", "experts", "encoder_decoder")


def name_of(kind: dict) -> str:
    return "-".join(str(value) if name != "ties" else "ties" * value for name, value in kind.items()).strip(
        "-"
    )


def unit_instance(
    prompts=(),
    outputs=None,
    *,
    slack_s=10.0,
    uplink=0.0,
    downlink=0.0,
    required=0.0,
    flops=16.0,
    memory_bytes=1000.0,
    compute_s=100.0,
    devices=1,
    quantization=None,
    padding=None,
    **more,
) -> Instance:
    """Requests to the `UNIT` model; a number in place of a list holds for every request."""
    number = len(prompts)
    column = lambda value: list(value) if np.ndim(value) else [value] * number  # noqa: E731
    system = System(
        Slots(uplink_s=0.25, compute_s=compute_s, downlink_s=0.25),
        UNIT,
        quantization or Quantization(weight_bits=16, kv_bits=16, compute_factor=1.0, accuracy=1.0),
        EdgeNode(flops=flops, memory_bytes=memory_bytes, devices=devices),
        fixed_padding_tokens=padding,
    )
    return Instance(
        system,
        prompts,
        column(1 if outputs is None else outputs),
        latency_s=[slack + 0.5 for slack in column(slack_s)],
        waited_s=[0.0] * number,
        accuracy=column(required),
        uplink_share=column(uplink),
        downlink_share=column(downlink),
        **more,
    )


@cache
def _trace() -> np.ndarray:
    """Prompt and output tokens of the trace's requests, shape (requests, 2)."""
    return np.loadtxt(TRACE, np.int64, delimiter=",", skiprows=3)


def _lengths(rng: np.random.Generator, requests: int, lengths: str) -> np.ndarray:
    """Prompt and output tokens, shape (2, requests)."""
    if lengths == "grid":
        return rng.choice([128, 256, 512], (2, requests))
    if lengths == "one":  # long chains, in which the order of the shares decides
        return np.full((2, requests), 256)
    if lengths == "trace":
        return rng.choice(_trace(), requests).T
    return rng.integers(1, 513, (2, requests))


def random_instance(
    rng: np.random.Generator,
    requests: int,
    regime: str,
    padding: str,
    fading: str,
    lengths: str,
    ties: bool,
    cost: str = "flops",
    billing: str = "own",
) -> Instance:
    """Candidates and budgets of one kind.

    The budget that binds in `regime` holds a few average requests (compute in ``paper``), the others 4
    times as many. In ``balanced`` a batch of cheap requests nearly fills all of them.
    """
    llm = Llm(layers=2, hidden_size=64, ffn_size=256)
    quantization = Quantization(weight_bits=8, kv_bits=16, compute_factor=0.5, accuracy=0.9)
    prompts, outputs = _lengths(rng, requests, lengths)
    fixed = max(512, int(prompts.max(initial=1))) if padding == "fixed" else None
    gain = rng.standard_exponential((2, requests))
    if fading == "shared":
        gain[1] = gain[0]
    shares = np.stack([prompts, outputs]) / np.log2(1 + 30 * gain)
    slack_s, waited_s = rng.uniform(0.6, 2.1, requests), rng.uniform(0, 1, requests)
    if ties:
        slack_s, waited_s = np.ceil(4 * slack_s) / 4, np.round(waited_s)
    accuracy = rng.uniform(0, 1, requests)

    def loads(padded):
        kv_bytes, flops = llm.kv_bytes_per_token * (padded + outputs), llm.request_flops(padded, outputs)
        return np.stack([*shares, kv_bytes, flops])

    most, within_s = rng.uniform(2, 6), 1.5
    if requests == 0:
        full = np.ones(4)
    elif regime == "balanced":
        batch = _cheap_batch(
            loads(fixed or prompts),
            (accuracy <= 0.9) & (slack_s > 1 + ties / 4),
            round(most * (1 + requests / 40)),
        )
        full = loads(fixed or int(prompts[batch].max()))[:, batch].sum(axis=1) * rng.uniform(1, 1.06, 4)
        within_s = min(1.5, slack_s[batch].min())
    else:
        budget = {"bandwidth_bound": [0, 1], "memory_bound": [2], "paper": [3]}[regime]
        room = np.where(np.isin(range(4), budget), most, 4 * most)
        typical = loads(fixed or int(prompts.max()))
        full = np.append(np.median(shares, axis=1) / rng.uniform(0.6, 1, 2), typical[2:].mean(axis=1)) * room
    shares /= full[:2, None]
    if ties:  # in parts so small that rounding up fills no budget of a balanced instance by itself
        parts = 64 if regime == "balanced" else 16
        shares = np.ceil(parts * shares) / parts
    edge_node = EdgeNode(
        flops=float(quantization.compute_factor * full[3] / within_s),
        memory_bytes=float(llm.weight_bytes / 2 + full[2]),
        devices=int(rng.integers(1, 5)),
    )
    instance = Instance(
        System(Slots(0.25, 1.5, 0.25), llm, quantization, edge_node, fixed_padding_tokens=fixed),
        prompts,
        outputs,
        latency_s=slack_s + waited_s + 0.5,
        waited_s=waited_s,
        accuracy=accuracy,
        uplink_share=shares[0],
        downlink_share=shares[1],
    )
    if billing != "own":
        instance = dataclasses.replace(
            instance, system=dataclasses.replace(instance.system, output_billing=billing)
        )
    return under_roofline(instance) if cost == "roofline" else instance


def of_today(instance: Instance, rng: np.random.Generator, variant: str, billing: str) -> Instance:
    """The same requests to a model of today, under a calibrated roofline, and with budgets about as tight."""
    shapes = {
        "grouped": {"layers": 2, "ffn_matrices": 3, "vocabulary": 500},
        "experts": {"layers": 2, "experts": 8, "active_experts": 2},
        "encoder_decoder": {"layers": 1, "encoder_layers": 1, "vocabulary": 300, "tied_embeddings": False},
    }
    plain = instance.system
    heads = {"query_heads": 8, "kv_heads": 2, "head_size": 10}
    llm = Llm(hidden_size=64, ffn_size=int(rng.integers(50, 300)), **heads, **shapes[variant])
    cached = plain.edge_node.memory_bytes - plain.weight_bytes
    memory = llm.weight_bytes / 2 + cached * llm.kv_bytes_per_token / plain.llm.kv_bytes_per_token
    work = llm.request_flops(300, 200) / plain.llm.request_flops(300, 200)
    node = dataclasses.replace(
        plain.edge_node, memory_bytes=float(memory), flops=float(plain.edge_node.flops * work)
    )
    # a step of a few requests takes about as long by arithmetic as by memory traffic
    bandwidth = node.flops * 10 ** rng.uniform(-0.8, 0.5)
    step_s = 0.1 / int(instance.output_tokens.max(initial=1))
    shares = rng.uniform(0.5, 1, 5)
    cost = Roofline(float(bandwidth), *map(float, shares), step_s=step_s * rng.uniform(), layer_s=step_s / 9)
    system = dataclasses.replace(plain, llm=llm, edge_node=node, cost=cost, output_billing=billing)
    return dataclasses.replace(instance, system=system)


def _cheap_batch(loads: np.ndarray, allowed: np.ndarray, size: int) -> np.ndarray:
    """The requests that are cheapest with all loads at equal prices; of all if none is allowed."""
    price = (loads / np.median(loads, axis=1, keepdims=True)).sum(axis=0)
    order = np.lexsort((price, ~allowed))
    return order[: max(1, min(size, int(allowed.sum())))]


@cache
def sample(count: int, requests: int = 9) -> tuple[Instance, ...]:
    """The same random instances every time; 128 of them have a kind each, fewer are spread over the kinds."""
    kinds = (KINDS[37 * seed % len(KINDS)] for seed in range(count))
    return tuple(
        random_instance(np.random.default_rng(seed), requests, **kind) for seed, kind in enumerate(kinds)
    )


@st.composite
def instances(draw, at_least: int = 0, at_most: int = 9) -> Instance:
    kind = draw(st.sampled_from(KINDS))
    requests = draw(st.integers(at_least, at_most))
    return random_instance(np.random.default_rng(draw(st.integers(0, 2**32))), requests, **kind)


def take(instance: Instance, indices) -> Instance:
    """The requests `indices`, in that order."""
    indices = np.asarray(indices, dtype=int)
    columns = {name: getattr(instance, name)[indices] for name in COLUMNS}
    return dataclasses.replace(
        instance, **columns, ids=tuple(instance.ids[i] for i in indices if instance.ids)
    )


def with_system(instance: Instance, part: str, **changes) -> Instance:
    """The same requests at a node whose slots, quantization or edge_node differ."""
    changed = dataclasses.replace(getattr(instance.system, part), **changes)
    return dataclasses.replace(instance, system=dataclasses.replace(instance.system, **{part: changed}))


def with_weights(instance: Instance, rng: np.random.Generator, whole: bool) -> Instance:
    """The same requests with weights: priorities from 1 to 5, or any numbers of three orders of magnitude."""
    weight = rng.integers(1, 6, instance.size) if whole else 10 ** rng.uniform(-1, 2, instance.size)
    return dataclasses.replace(instance, weight=weight)


def under_roofline(instance: Instance, requests: float = 2.0) -> Instance:
    """The same, but to read the weights takes as long as the arithmetic of a token of some `requests`."""
    system = instance.system
    bytes_for_flop = system.quantization.weight_bits / 16 / system.quantization.compute_factor
    cost = Roofline(bytes_for_flop * system.edge_node.flops / requests)
    return dataclasses.replace(instance, system=dataclasses.replace(system, cost=cost))
