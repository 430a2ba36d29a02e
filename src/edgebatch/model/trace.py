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
    def span_s(self) -> float:
        """Length of the trace: to its last arrival, and one mean interval more."""
        size = self.arrival_s.size
        between_s = float(self.arrival_s[-1] - self.arrival_s[0])
        return between_s * size / (size - 1) if between_s > 0 else 1.0

    def window(self, horizon_s: float, rate: float | None, start: float) -> Trace:
        """The requests of a window.

        Parameters
        ----------
        horizon_s
            Length of the window that is returned; its arrivals begin at 0.
        rate
            Mean rate of the window, requests/s: so many consecutive requests are stretched to its length.
            None for the pace of the trace.
        start
            Where the window begins, as a share of the trace, in [0, 1). Behind the last request the trace
            begins anew.
        """
        size = self.arrival_s.size
        if rate is None:
            since_s = (self.arrival_s - self.arrival_s[0] - start * self.span_s) % self.span_s
            order = np.argsort(since_s, kind="stable")
            rounds = max(1, math.ceil(horizon_s / self.span_s))
            arrival_s = (since_s[order] + self.span_s * np.arange(rounds)[:, None]).ravel()
            return self._chosen(arrival_s[arrival_s < horizon_s], np.tile(order, rounds))
        # one more, which ends the window
        places = int(start * size) + np.arange(round(rate * horizon_s) + 1)
        arrival_s = self.arrival_s[places % size] + self.span_s * (places // size)
        arrival_s -= arrival_s[0]
        stretched_s = arrival_s[:-1] * (horizon_s / arrival_s[-1] if arrival_s[-1] > 0 else 0.0)
        return self._chosen(stretched_s, places % size)

    def _chosen(self, arrival_s: NDArray[np.float64], requests: NDArray[np.int64]) -> Trace:
        """The first of `requests`, as many as there are arrivals."""
        chosen = requests[: arrival_s.size]
        latency_s = None if self.latency_s is None else self.latency_s[chosen]
        return Trace(arrival_s, self.prompt_tokens[chosen], self.output_tokens[chosen], latency_s)
