"""What a user sees of a request: time to its first token, time between tokens, time to its last."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.serving.continuous import Timeline


@dataclass(frozen=True)
class Latency:
    """Latencies of requests, in seconds, shape (requests,); NaN where there is none.

    Attributes
    ----------
    ttft_s
        Time to first token: from the arrival to the first token of the answer.
    tpot_s
        Time per output token after the first: (end to end - ttft) / (output tokens - 1); NaN for answers of
        one token.
    end_to_end_s
        From the arrival to the last token.
    """

    ttft_s: NDArray[np.float64]
    tpot_s: NDArray[np.float64]
    end_to_end_s: NDArray[np.float64]


def latency(timeline: Timeline, arrival_s: NDArray[np.float64], output_tokens: NDArray[np.int64]) -> Latency:
    """Latencies of the requests of a timeline."""
    ttft_s, end_to_end_s = timeline.first_token_s - arrival_s, timeline.last_token_s - arrival_s
    later = np.where(output_tokens > 1, output_tokens - 1, np.nan)
    return Latency(ttft_s, (end_to_end_s - ttft_s) / later, end_to_end_s)
