"""Who asks for what, and when: Poisson arrivals of requests with random requirements."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.radio import Radio, draw_channel, least_share, rate_bits_per_s
from edgebatch.model.system import Slots
from edgebatch.schema import Checked, integer, real

ARRIVALS, REQUESTS, CHANNEL = range(3)
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


class Workload(Checked):
    """Statistics of the requests.

    Attributes
    ----------
    arrival_rate
        Poisson arrivals, requests/s.
    prompt_tokens, output_tokens
        Lengths, each equally likely.
    payload_bits
        Bits of the uplink that a request carries beside its prompt tokens, such as a picture.
    """

    arrival_rate: float = real(above=0)
    prompt_tokens: tuple[int, ...] = integer(at_least=1)
    output_tokens: tuple[int, ...] = integer(at_least=1)
    payload_bits: float = real(at_least=0)
    latency: Latency
    accuracy: Accuracy

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("prompt_tokens", "output_tokens"):
            if not getattr(self, name):
                raise InputError(name, "an empty list", "at least one length")


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
    """

    arrival_s: NDArray[np.float64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    latency_s: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    uplink_share: NDArray[np.float64]
    downlink_share: NDArray[np.float64]


def stream(seed: int, which: int) -> np.random.Generator:
    """The generator of one random stream of the run `seed`."""
    return np.random.default_rng(np.random.SeedSequence(entropy=seed, spawn_key=(which,)))


def draw_requests(workload: Workload, radio: Radio, slots: Slots, epochs: int, seed: int) -> Requests:
    """The requests that arrive during `epochs` epochs, with their channels.

    Given their number, the arrivals of a Poisson process are uniform.
    """
    arrivals, draw, channel = (stream(seed, which) for which in (ARRIVALS, REQUESTS, CHANNEL))
    horizon_s = epochs * slots.epoch_s
    number = int(arrivals.poisson(workload.arrival_rate * horizon_s))
    arrival_s = np.sort(arrivals.uniform(0, horizon_s, number))
    prompt_tokens = draw.choice(np.array(workload.prompt_tokens, dtype=np.int64), number)
    output_tokens = draw.choice(np.array(workload.output_tokens, dtype=np.int64), number)
    half_width_s = workload.latency.mean_s * workload.latency.relative_half_width
    latency_s = workload.latency.mean_s + half_width_s * draw.uniform(-1, 1, number)
    accuracy = draw.uniform(workload.accuracy.low, workload.accuracy.high, number)
    longest_wait_s = workload.latency.mean_s + half_width_s
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
        latency_s,
        accuracy,
        least_share(uplink_bits[:, None], slots.uplink_s, up),
        least_share(downlink_bits[:, None], slots.downlink_s, down),
    )
