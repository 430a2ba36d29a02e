"""Serving without epochs: continuous batching, step by step, on the same cost models."""

from edgebatch.serving.continuous import Timeline, simulate_continuous
from edgebatch.serving.latency import Latency, latency
from edgebatch.serving.limits import Limits
from edgebatch.serving.step_time import StepTime

__all__ = ["Latency", "Limits", "StepTime", "Timeline", "latency", "simulate_continuous"]
