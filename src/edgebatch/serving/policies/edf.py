"""Earliest deadline first: who has the least time left joins first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def priority(
    arrival_s: NDArray[np.float64], output_tokens: NDArray[np.int64], latency_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """When each request has to be answered."""
    return arrival_s + latency_s
