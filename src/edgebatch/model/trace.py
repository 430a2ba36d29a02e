"""Requests that were recorded: when they came, and how long their prompts and outputs were."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.schema import Checked


class TraceFile(Checked):
    """Where a trace is, and which content it has.

    Attributes
    ----------
    path
        File, from the folder of the project.
    sha256
        Digest of its bytes, so that a setting names its requests by content.
    """

    path: str
    sha256: str


@dataclass(frozen=True)
class Trace:
    """Recorded requests, in order of arrival; arrays of shape (requests,).

    Attributes
    ----------
    arrival_s
        Seconds from any origin.
    prompt_tokens, output_tokens
        Lengths.
    latency_s
        Latency requirements; None if the trace has none.
    """

    arrival_s: NDArray[np.float64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    latency_s: NDArray[np.float64] | None = None

    @property
    def rate_per_s(self) -> float:
        """Mean arrival rate, requests/s."""
        return self.arrival_s.size / self.span_s

    @property
    def span_s(self) -> float:
        """Length of the trace: to its last arrival, and one mean interval more."""
        size = self.arrival_s.size
        between_s = float(self.arrival_s[-1] - self.arrival_s[0])
        return between_s * size / (size - 1) if between_s > 0 else 1.0

    def window(self, horizon_s: float, rate: float | None, start: float) -> Trace:
        """The requests of a window, at another rate.

        Parameters
        ----------
        horizon_s
            Length of the window that is returned; its arrivals begin at 0.
        rate
            Mean rate that the whole trace is scaled to, requests/s; None for its own.
        start
            Where the window begins, as a share of the trace, in [0, 1). Behind the last request the trace
            begins anew.
        """
        speed = 1.0 if rate is None else rate / self.rate_per_s
        since_s = (self.arrival_s - self.arrival_s[0] - start * self.span_s) % self.span_s
        order = np.argsort(since_s, kind="stable")
        rounds = max(1, math.ceil(horizon_s * speed / self.span_s))
        since_s = (since_s[order] + self.span_s * np.arange(rounds)[:, None]).ravel() / speed
        chosen = np.tile(order, rounds)[since_s < horizon_s]
        latency_s = None if self.latency_s is None else self.latency_s[chosen]
        return Trace(
            since_s[since_s < horizon_s], self.prompt_tokens[chosen], self.output_tokens[chosen], latency_s
        )
