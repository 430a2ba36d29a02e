"""What users see of a run: answers in time, time to first token, time per token, end-to-end latency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True)
class Service:
    """What became of each request that arrived; arrays of shape (requests,), NaN where there is no time.

    Attributes
    ----------
    in_time
        Whether it was answered within all of its requirements.
    turned_away
        Whether the node could not take it: it needs more accuracy than the model offers, or its prompt and
        output exceed what the node holds.
    ttft_s
        Time to first token: from the arrival until the node has generated the first token.
    tpot_s
        Time per output token: from the first token to the last, over the tokens after the first. Without a
        radio this is (end to end - TTFT) / (output tokens - 1). NaN for answers of one token.
    latency_s
        End to end: from the arrival until the whole answer is with the user.
    output_tokens
        Length of the answer.
    """

    in_time: NDArray[np.bool_]
    turned_away: NDArray[np.bool_]
    ttft_s: NDArray[np.float64]
    tpot_s: NDArray[np.float64]
    latency_s: NDArray[np.float64]
    output_tokens: NDArray[np.int64]


SERVICE_METRICS = (
    "goodput_per_s",
    "attainment",
    "turned_away_per_s",
    "tokens_per_s",
    *(f"{name}_p{share}_s" for name in ("ttft", "tpot", "latency") for share in PERCENTILES),
)
"""Columns of a run.

`goodput_per_s`: requests that are answered within all of their requirements, per second. `attainment`: their
share of all arrivals. `turned_away_per_s`: requests that the node could not take, per second. `tokens_per_s`:
output tokens of all answers, in time or not, per second. Percentiles of the times of `Service` are over all
answers; 0 where there is none.
"""


def bound_gap(size: float, upper_bound: float) -> float:
    """The part of an upper bound that a batch of some size misses; 0 where the bound is 0."""
    return 1 - size / upper_bound if upper_bound > 0 else 0.0


def measure_service(service: Service, horizon_s: float) -> dict[str, float]:
    """Measure what users saw over `horizon_s` seconds; the keys are those of `SERVICE_METRICS`."""
    answered = np.isfinite(service.latency_s)
    measured = {
        "goodput_per_s": float(service.in_time.sum() / horizon_s),
        "attainment": float(service.in_time.mean()) if service.in_time.size else 0.0,
        "turned_away_per_s": float(service.turned_away.sum() / horizon_s),
        "tokens_per_s": float(service.output_tokens[answered].sum() / horizon_s),
    }
    for name in ("ttft", "tpot", "latency"):
        times_s = getattr(service, f"{name}_s")
        measured |= percentiles(name, times_s[np.isfinite(times_s)])
    return measured


def percentiles(name: str, times_s: NDArray[np.float64]) -> dict[str, float]:
    """Percentiles of times, as ``<name>_p<share>_s``; 0 where there are none."""
    found = np.percentile(times_s, PERCENTILES) if times_s.size else np.zeros(len(PERCENTILES))
    return {f"{name}_p{share}_s": float(at) for share, at in zip(PERCENTILES, found, strict=True)}
