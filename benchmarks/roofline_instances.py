"""Large instances under a roofline, with lengths of public traces and nearly full budgets."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebatch import EdgeNode, Instance, Llm, Quantization, Slots, System
from edgebatch.model.roofline import Roofline

REGIMES = {
    "balanced": (0, 1, 2, 3),
    "radio": (0, 1),
    "memory": (2,),
    "compute": (3,),
    "memory_and_compute": (2, 3),
}
"""Budgets that are nearly full at the optimum: uplink, downlink, memory, compute time."""

TRACES = {"azure": "azure_conversations_2023.csv", "mooncake": "mooncake_conversations.csv"}
"""Lengths of the requests, in this folder."""

BLOOM_3B = Llm(layers=30, hidden_size=2560, ffn_size=10240)
EXPERTS = Llm(layers=30, hidden_size=2560, ffn_size=1280, experts=8, active_experts=2)
"""The weights of BLOOM-3B, but for the routers, in experts of which two work on a token."""

W8A16 = Quantization(weight_bits=8, kv_bits=16, compute_factor=2 / 3, accuracy=1.0)
SHORTEST_S, LONGEST_S = 2.0, 6.0
"""Slack of the requests, uniform between the two."""

SPREAD, LOOSE = 0.04, 1.5
"""A nearly full budget is up to this share above what a cheap batch needs; another, this many times that."""


def tight_instance(
    candidates: int,
    seed: int,
    *,
    regime: str = "balanced",
    trace: str = "azure",
    cost: str = "roofline",
    fixed_padding: bool = False,
    batch_size: int | None = None,
    llm: Llm = BLOOM_3B,
) -> Instance:
    """Candidates at a node whose budgets a cheap batch of about their square root fills.

    The batch is cheapest at prices of the budgets that the seed draws, among requests whose prompts are not
    too long and whose slack is not too short, within limits that the seed draws too. To read the weights
    takes as long as the arithmetic of a token of some requests, a fifth of the batch to five times the batch.

    Parameters
    ----------
    candidates
        Number of requests.
    regime
        Of `REGIMES`.
    trace
        Of `TRACES`.
    cost
        ``flops`` or ``roofline``.
    fixed_padding
        Whether prompts are padded to the longest candidate rather than the longest of the batch.
    batch_size
        Size of the batch that the budgets are made of.
    llm
        The model.
    """
    rng = np.random.default_rng([seed, candidates, *map(ord, regime)])
    prompts, outputs = _lengths(trace)[rng.integers(0, len(_lengths(trace)), candidates)].T
    rate = np.log2(1 + 30 * rng.standard_exponential((2, candidates)))
    slack_s = rng.uniform(SHORTEST_S, LONGEST_S, candidates)
    size = batch_size or max(1, round(0.95 * candidates**0.5))
    padded = int(prompts.max()) if fixed_padding else int(np.quantile(prompts, rng.uniform(0.3, 0.9)))
    loads = np.stack([prompts / rate[0], outputs / rate[1], padded + outputs, 2 * padded + outputs])
    price = rng.uniform(0.3, 1.0, 4) @ (loads / np.median(loads, axis=1, keepdims=True))
    allowed = (prompts <= padded) & (slack_s >= np.quantile(slack_s, rng.uniform(0.1, 0.6)))
    batch = np.flatnonzero(allowed)[np.argsort(price[allowed], kind="stable")[:size]]
    longest = padded if fixed_padding else int(prompts[batch].max())
    nearly_full = np.isin(range(4), REGIMES[regime])
    room = np.where(nearly_full, rng.uniform(1.0, 1 + SPREAD, 4), LOOSE)
    shares = loads[:2] / (loads[:2, batch].sum(axis=1) * room[:2])[:, None]
    slots = Slots(uplink_s=0.25, compute_s=LONGEST_S, downlink_s=0.25)
    ridge = size * np.exp(rng.uniform(np.log(0.2), np.log(5.0)))
    weight_bytes = llm.weight_bytes * W8A16.weight_bits / 16
    kv_bytes = llm.kv_bytes_per_token * float((longest + outputs[batch]).sum())

    def system(flops: float) -> System:
        node = EdgeNode(flops=flops, memory_bytes=weight_bytes + kv_bytes * room[2], devices=1)
        bytes_for_flop = W8A16.weight_bits / 16 / W8A16.compute_factor
        model = Roofline(flops * bytes_for_flop / ridge)
        fixed = padded if fixed_padding else None
        return System(slots, llm, W8A16, node, fixed, "flops" if cost == "flops" else model)

    trial = system(1e12)
    lengths, counts = np.unique(outputs[batch], return_counts=True)
    time_s = trial.batch_time_s(longest, lengths, counts)
    return Instance(
        system(1e12 * time_s / (slack_s[batch].min() * room[3])),
        prompts,
        outputs,
        latency_s=slack_s + slots.uplink_s + slots.downlink_s,
        waited_s=np.zeros(candidates),
        accuracy=np.zeros(candidates),
        uplink_share=shares[0],
        downlink_share=shares[1],
    )


@cache
def _lengths(trace: str) -> NDArray[np.int64]:
    """Prompt and output tokens of the requests of a trace, shape (requests, 2)."""
    return np.loadtxt(Path(__file__).resolve().parent / TRACES[trace], np.int64, delimiter=",", skiprows=3)
