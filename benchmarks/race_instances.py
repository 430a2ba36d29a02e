"""Large instances for races between exact schedulers: all four budgets are nearly full at the optimum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgebatch import EdgeNode, Instance, Llm, Quantization, Slots, System

FADINGS = ("shared", "separate")
LENGTHS = ("grid", "arbitrary", "heavy_tailed", "trace")
TRACE = Path(__file__).resolve().parent / "azure_conversations_2023.csv"
BLOOM_3B = Llm(layers=30, hidden_size=2560, ffn_size=10240)
W8A16 = Quantization(weight_bits=8, kv_bits=16, compute_factor=2 / 3, accuracy=1.0)
PADDED, PADDED_TRACE = 512, 2048
"""Fixed padding, in tokens; longer conversations of the trace are left out."""
SHORTEST_S, LONGEST_S = 0.5, 1.5
"""Slack of the requests, uniform between the two."""


def tight_instance(
    candidates: int,
    seed: int,
    *,
    fading: str = "separate",
    lengths: str = "arbitrary",
    batch_size: int | None = None,
    spread: float = 0.04,
) -> Instance:
    """Candidates at a node whose bands, memory and speed a batch of about their square root fills.

    The batch that is cheapest at some prices of the four budgets, drawn by the seed, is, by duality of
    linear programs, a largest one for the budgets that it fills. The node has just those, each up to
    `spread` more, by different amounts: then the optimum is open, and every budget still counts.

    Parameters
    ----------
    candidates
        Number of requests; the optimum is about 9 of 100, 21 of 500, 43 of 2,000.
    fading
        Of `FADINGS`: one Rayleigh gain for both directions, or one for each.
    lengths
        Of `LENGTHS`: prompts and outputs of 128, 256 or 512 tokens; any of 1 to 512; log-normal; those of
        a public trace of conversations.
    batch_size
        Size of the batch that the budgets are made of.
    """
    assert fading in FADINGS, fading
    rng = np.random.default_rng([seed, candidates])
    prompts, outputs = _lengths(rng, candidates, lengths)
    padded = PADDED_TRACE if lengths == "trace" else PADDED
    gain = rng.standard_exponential((2, candidates))
    rate = np.log2(1 + 30 * (gain if fading == "separate" else gain[:1]))
    slack_s = rng.uniform(SHORTEST_S, LONGEST_S, candidates)
    loads = np.stack(
        [
            *(np.stack([prompts, outputs]) / rate),
            BLOOM_3B.kv_bytes_per_token * (padded + outputs).astype(float),
            BLOOM_3B.request_flops(np.full_like(outputs, padded), outputs),
        ]
    )
    price = rng.uniform(0.3, 1.0, 4) @ (loads / np.median(loads, axis=1, keepdims=True))
    patient = np.flatnonzero(slack_s >= 1.0)
    size = batch_size or max(1, round(0.95 * candidates**0.5))
    batch = patient[np.argsort(price[patient], kind="stable")[:size]]
    full = loads[:, batch].sum(axis=1) * rng.uniform(1.0, 1 + spread, 4)
    node = EdgeNode(
        flops=float(W8A16.compute_factor * full[3] / slack_s[batch].min()),
        memory_bytes=float(BLOOM_3B.weight_bytes * W8A16.weight_bits / 16 + full[2]),
        devices=20,
    )
    slots = Slots(uplink_s=0.25, compute_s=1.5, downlink_s=0.25)
    return Instance(
        System(slots, BLOOM_3B, W8A16, node, fixed_padding_tokens=padded),
        prompts,
        outputs,
        latency_s=slack_s + slots.uplink_s + slots.downlink_s,
        waited_s=np.zeros(candidates),
        accuracy=np.zeros(candidates),
        uplink_share=loads[0] / full[0],
        downlink_share=loads[1] / full[1],
    )


def _lengths(rng: np.random.Generator, candidates: int, lengths: str) -> NDArray[np.int64]:
    """Prompt and output tokens, up to the padding, shape (2, candidates)."""
    if lengths == "trace":
        trace = np.loadtxt(TRACE, np.int64, delimiter=",", skiprows=3)
        return rng.choice(trace[trace[:, 0] <= PADDED_TRACE], candidates).T
    if lengths == "grid":
        return rng.choice([128, 256, 512], (2, candidates))
    if lengths == "heavy_tailed":
        return np.clip(rng.lognormal(4.8, 1.0, (2, candidates)), 1, PADDED).astype(np.int64)
    assert lengths == "arbitrary", lengths
    return rng.integers(1, PADDED + 1, (2, candidates))
