"""Instances for the tests: small ones with round costs, and random ones in which every budget can bind."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import product

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from edgebatch import EdgeNode, Instance, Llm, Quantization, Slots, System
from edgebatch.problem import COLUMNS
from edgebatch.roofline import Roofline

BLOOM_3B = Llm(layers=30, hidden_size=2560, ffn_size=10240)

UNIT = Llm(layers=1, hidden_size=1, ffn_size=1)
"""Weights 8 + 4 = 12 bytes; KV 4 bytes a token; FLOPs 12 s + 4 s^2 + (n - 1)(12 + 4 s + 2 n).

So a request with s = n = 1 costs 16 FLOPs and 8 bytes; (s, n) = (1, 2) costs 36, (2, 1) 40, (2, 2) 64.
"""

steady = settings(derandomize=True, deadline=None, database=None, max_examples=60)
"""Hypothesis settings under which every run tries the same examples."""

KINDS = tuple(
    {"regime": regime, "padding": padding, "fading": fading, "lengths": lengths, "ties": ties}
    for regime, padding, fading, lengths, ties in product(
        ("compute", "bandwidth", "memory", "balanced"),
        ("batch_max", "fixed"),
        ("shared", "separate"),
        ("grid", "arbitrary", "one"),
        (False, True),
    )
)


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


def random_instance(
    rng: np.random.Generator,
    requests: int,
    regime: str,
    padding: str,
    fading: str,
    lengths: str,
    ties: bool,
) -> Instance:
    """Budgets that hold a few average requests; those that `regime` does not name hold 4 times as many."""
    llm = Llm(layers=2, hidden_size=64, ffn_size=256)
    if lengths == "grid":
        prompts, outputs = rng.choice([128, 256, 512], (2, requests))
    elif lengths == "one":  # long chains, in which the order of the shares decides
        prompts, outputs = np.full((2, requests), 256)
    else:
        prompts, outputs = rng.integers(1, 513, (2, requests))
    fixed = 512 if padding == "fixed" else None
    longest = fixed or int(prompts.max(initial=1))

    most = rng.uniform(2, 6)
    room = {name: most * (1 if name == regime else 4) for name in ("compute", "memory", "bandwidth")}
    if regime == "balanced":
        room = {name: most * rng.uniform(0.9, 1.3) for name in room}

    gain = rng.standard_exponential((2, requests))
    if fading == "shared":
        gain[1] = gain[0]
    rate = np.log2(1 + 30 * gain)
    shares = np.stack([prompts, outputs]) / rate
    shares /= np.median(shares, axis=1, keepdims=True) if requests else 1
    shares *= rng.uniform(0.6, 1, (2, 1)) / room["bandwidth"]
    slack_s, waited_s = rng.uniform(0.6, 2.1, requests), rng.uniform(0, 1, requests)
    if ties:
        shares = np.ceil(16 * shares) / 16
        slack_s, waited_s = np.ceil(4 * slack_s) / 4, np.round(waited_s)

    flops = np.mean(llm.request_flops(longest, outputs)) if requests else 1.0
    kv_bytes = np.mean(llm.kv_bytes_per_token * (longest + outputs)) if requests else 1.0
    quantization = Quantization(weight_bits=8, kv_bits=16, compute_factor=0.5, accuracy=0.9)
    edge_node = EdgeNode(
        flops=float(0.5 * room["compute"] * flops / 1.5),
        memory_bytes=float(llm.weight_bytes / 2 + room["memory"] * kv_bytes),
        devices=int(rng.integers(1, 5)),
    )
    return Instance(
        System(Slots(0.25, 1.5, 0.25), llm, quantization, edge_node, fixed_padding_tokens=fixed),
        prompts,
        outputs,
        latency_s=slack_s + waited_s + 0.5,
        waited_s=waited_s,
        accuracy=rng.uniform(0, 1, requests),
        uplink_share=shares[0],
        downlink_share=shares[1],
    )


@cache
def sample(count: int, requests: int = 9) -> tuple[Instance, ...]:
    """The same random instances every time; 96 of them have a kind each, fewer are spread over the kinds."""
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


def under_roofline(instance: Instance, requests: float = 2.0) -> Instance:
    """The same, but to read the weights takes as long as the arithmetic of a token of some `requests`."""
    system = instance.system
    bytes_for_flop = system.quantization.weight_bits / 16 / system.quantization.compute_factor
    cost = Roofline(bytes_for_flop * system.edge_node.flops / requests)
    return dataclasses.replace(instance, system=dataclasses.replace(system, cost=cost))
