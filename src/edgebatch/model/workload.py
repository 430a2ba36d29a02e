"""Who asks for what, and when: random or recorded arrivals of requests, with their requirements."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.output_knowledge import Knowledge, expected_lengths
from edgebatch.model.radio import Radio, draw_channel, least_share, rate_bits_per_s
from edgebatch.model.system import Slots
from edgebatch.model.trace import Trace, TraceFile
from edgebatch.schema import Checked, integer, real

ARRIVALS, REQUESTS, CHANNEL, NETWORK, KNOWLEDGE = range(5)
"""Random streams of a run; a scheduler has none, so that all schedulers meet the same requests."""


class Latency(Checked):
    """Latency requirement, uniform on mean_s * (1 -+ relative_half_width)."""

    mean_s: float = real(above=0)
    relative_half_width: float = real(at_least=0, at_most=1)


class Accuracy(Checked):
    """Accuracy requirement, uniform on [low, high]."""

    low: float = real(at_least=0, at_most=1)
    high: float = real(at_least=0, at_most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise InputError("low", self.low, f"at most high, {self.high}")


class Slo(Checked):
    """A service-level objective: an answer of n tokens has to be there within ttft_s + tpot_s * n."""

    ttft_s: float = real(at_least=0)
    tpot_s: float = real(above=0)


class Network(Checked):
    """What lies between users and node beside the radio: a delay, and a jitter, uniform on [0, jitter_s]."""

    delay_s: float = real(at_least=0, default=0.0)
    jitter_s: float = real(at_least=0, default=0.0)


class Workload(Checked):
    """Statistics of the requests.

    Attributes
    ----------
    arrival_rate
        Mean rate of arrivals, requests/s; None for a trace's own.
    prompt_tokens, output_tokens
        Lengths, each equally likely; not used with a trace.
    payload_bits
        Bits of the uplink that a request carries beside its prompt tokens, such as a picture.
    latency
        Latency requirement, where there is no `slo` and the trace has none.
    arrival_cv
        Coefficient of variation of the times between arrivals: 1 is a Poisson process, more are bursts of a
        gamma process. Not used with a trace.
    slo
        Latency requirement that grows with the output.
    patience
        Factor on every latency requirement.
    network
        Takes its time off every latency requirement.
    knowledge
        What schedulers know of output lengths.
    trace
        Recorded arrivals and lengths.
    """

    arrival_rate: float | None = real(above=0)
    prompt_tokens: tuple[int, ...] = integer(at_least=1)
    output_tokens: tuple[int, ...] = integer(at_least=1)
    payload_bits: float = real(at_least=0)
    latency: Latency
    accuracy: Accuracy
    arrival_cv: float = real(above=0, at_most=100, default=1.0)
    slo: Slo | None = None
    patience: float = real(above=0, default=1.0)
    network: Network = field(default_factory=Network)
    knowledge: Knowledge = field(default_factory=Knowledge)
    trace: TraceFile | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.trace is not None:
            return
        if self.arrival_rate is None:
            raise InputError("arrival_rate", "nothing", "a number above 0, as there is no trace")
        for name in ("prompt_tokens", "output_tokens"):
            if not getattr(self, name):
                raise InputError(name, "an empty list", "at least one length")

    @property
    def longest_wait_s(self) -> float:
        """Longest latency requirement that is drawn, where requirements are uniform."""
        half_width_s = self.latency.mean_s * self.latency.relative_half_width
        return (self.latency.mean_s + half_width_s) * self.patience


@dataclass(frozen=True)
class Requests:
    """All requests of one run, in order of arrival.

    Attributes
    ----------
    arrival_s
        Time of arrival, shape (requests,).
    prompt_tokens, output_tokens, latency_s, accuracy
        Lengths and requirements, shape (requests,).
    uplink_share, downlink_share
        Least shares in each epoch after the arrival, shape (requests, epochs).
    network_s
        Time on the network beside the radio, which `latency_s` no longer holds, shape (requests,).
    expected_output_tokens
        Output lengths that schedulers see, shape (requests,).
    """

    arrival_s: NDArray[np.float64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    latency_s: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    uplink_share: NDArray[np.float64]
    downlink_share: NDArray[np.float64]
    network_s: NDArray[np.float64] = None  # type: ignore[assignment]
    expected_output_tokens: NDArray[np.int64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.network_s is None:
            object.__setattr__(self, "network_s", np.zeros(self.arrival_s.size))
        if self.expected_output_tokens is None:
            object.__setattr__(self, "expected_output_tokens", self.output_tokens)


def stream(seed: int, which: int) -> np.random.Generator:
    """The generator of one random stream of the run `seed`."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(which,)))


def draw_requests(
    workload: Workload, radio: Radio, slots: Slots, epochs: int, seed: int, trace: Trace | None = None
) -> Requests:
    """The requests that arrive during `epochs` epochs, with their channels.

    Parameters
    ----------
    trace
        Content of the workload's trace, if it has one.
    """
    arrivals, draw, channel, network, knowledge = (stream(seed, which) for which in range(5))
    horizon_s = epochs * slots.epoch_s
    window = None if trace is None else trace.window(horizon_s, workload.arrival_rate, arrivals.random())
    arrival_s = _arrivals(workload, arrivals, horizon_s) if window is None else window.arrival_s
    number = arrival_s.size
    if window is None:
        prompt_tokens = draw.choice(np.array(workload.prompt_tokens, dtype=np.int64), number)
        output_tokens = draw.choice(np.array(workload.output_tokens, dtype=np.int64), number)
    else:
        prompt_tokens, output_tokens = window.prompt_tokens, window.output_tokens
    half_width_s = workload.latency.mean_s * workload.latency.relative_half_width
    latency_s = workload.latency.mean_s + half_width_s * draw.uniform(-1, 1, number)
    longest_wait_s = workload.longest_wait_s
    if workload.slo is not None:
        latency_s = workload.slo.ttft_s + workload.slo.tpot_s * output_tokens
    elif window is not None and window.latency_s is not None:
        latency_s = window.latency_s
    latency_s = latency_s * workload.patience
    if workload.slo is not None or window is not None:
        longest_wait_s = float(latency_s.max(initial=0.0))
    accuracy = draw.uniform(workload.accuracy.low, workload.accuracy.high, number)
    network_s = workload.network.delay_s + workload.network.jitter_s * network.random(number)
    waits = 1 + math.ceil(longest_wait_s / slots.epoch_s)
    gains = draw_channel(radio, channel, number, waits)
    noise = radio.noise_psd_dbm_hz
    uplink_bits = prompt_tokens * radio.bits_per_token + workload.payload_bits
    downlink_bits = output_tokens * radio.bits_per_token
    up = rate_bits_per_s(radio.uplink_bandwidth_hz, radio.user_power_dbm, noise, gains.uplink)
    down = rate_bits_per_s(radio.downlink_bandwidth_hz, radio.edge_node_power_dbm, noise, gains.downlink)
    return Requests(
        arrival_s,
        prompt_tokens,
        output_tokens,
        # nobody can serve what the network leaves no time for
        np.maximum(latency_s - network_s, np.finfo(np.float64).tiny),
        accuracy,
        least_share(uplink_bits[:, None], slots.uplink_s, up),
        least_share(downlink_bits[:, None], slots.downlink_s, down),
        network_s,
        expected_lengths(workload.knowledge, output_tokens, knowledge),
    )


def _arrivals(workload: Workload, rng: np.random.Generator, horizon_s: float) -> NDArray[np.float64]:
    """Arrival times within the horizon, rising.

    Given their number, the arrivals of a Poisson process are uniform. Times between others follow a gamma
    distribution.
    """
    assert workload.arrival_rate is not None, "a workload without trace has a rate"
    mean = workload.arrival_rate * horizon_s
    if workload.arrival_cv == 1:
        return np.sort(rng.uniform(0, horizon_s, int(rng.poisson(mean))))
    shape = workload.arrival_cv**-2
    arrival_s = np.empty(0)
    while arrival_s.size == 0 or arrival_s[-1] < horizon_s:
        between_s = rng.gamma(shape, 1 / (shape * workload.arrival_rate), 1 + int(mean))
        arrival_s = np.concatenate((arrival_s, np.cumsum(between_s) + arrival_s[-1:].sum()))
    return arrival_s[arrival_s < horizon_s]
