"""Requests over time through continuous batching at a node, without a radio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgebatch.model.system import System
from edgebatch.model.trace import Trace
from edgebatch.service import Service, measure_service
from edgebatch.serving.admission import Arrivals, Gate
from edgebatch.serving.continuous import Timeline, simulate_continuous
from edgebatch.serving.latency import latency
from edgebatch.serving.limits import Limits
from edgebatch.serving.policies import get

UNLIMITED_S = 1e8
"""Latency requirement of a request that has none."""


@dataclass(frozen=True)
class Replay:
    """What a node does with a trace.

    Attributes
    ----------
    timeline
        When each request was served, in the seconds of the trace.
    service
        What users see of it.
    """

    timeline: Timeline
    service: Service
    horizon_s: float

    def summary(self) -> dict[str, float]:
        """Rates over the time until the last answer, and percentiles; keys of `edgebatch.service`."""
        return measure_service(self.service, self.horizon_s)


def replay(system: System, trace: Trace, policy: str, limits: Limits) -> Replay:
    """Serve the requests of a trace, each at the node when it arrives.

    Raises
    ------
    InputError
        For an unknown policy, or a model that takes its prompts as a whole.
    """
    chosen = get(policy)
    latency_s = np.full(trace.arrival_s.size, UNLIMITED_S) if trace.latency_s is None else trace.latency_s
    priority = np.asarray(chosen.priority(trace.arrival_s, trace.output_tokens, latency_s), dtype=float)
    held = trace.prompt_tokens + trace.output_tokens - 1 <= limits.capacity(system)
    gate = None
    if chosen.admit is not None:
        deadline_s = np.where(held, trace.arrival_s + latency_s, -np.inf)
        arrivals = Arrivals(trace.arrival_s, trace.prompt_tokens, trace.output_tokens, deadline_s)
        gate = Gate(system, limits, chosen.admit, arrivals)
    timeline = simulate_continuous(
        system, trace.arrival_s, trace.prompt_tokens, trace.output_tokens, priority, limits, gate
    )
    times = latency(timeline, trace.arrival_s, trace.output_tokens)
    with np.errstate(invalid="ignore"):
        in_time = times.end_to_end_s <= latency_s
    away = timeline.turned_away()
    service = Service(in_time, away, times.ttft_s, times.tpot_s, times.end_to_end_s, trace.output_tokens)
    return Replay(timeline, service, max(timeline.end_s - float(trace.arrival_s.min(initial=0.0)), 1e-9))
