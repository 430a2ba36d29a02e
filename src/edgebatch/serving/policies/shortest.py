"""Shortest output first: the answers that take the fewest steps join first."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def priority(
    arrival_s: NDArray[np.float64], output_tokens: NDArray[np.int64], latency_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Output length of each request."""
    return output_tokens.astype(np.float64)
