"""Epochs in sequence: candidates arrive, wait, are scheduled, or expire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.checker import Loads, check
from edgebatch.hindsight import in_hindsight
from edgebatch.model.system import System
from edgebatch.model.workload import Requests
from edgebatch.problem import Instance, Schedule, fits

Scheduler = Callable[[Instance], Schedule]


@dataclass(frozen=True)
class Epoch:
    """One epoch: what there was to serve, what was chosen, and what that uses.

    Attributes
    ----------
    instance
        The candidates, with the output lengths that the scheduler sees.
    schedule, loads
        Who is served and what that uses, at the true lengths.
    requests
        Which request of the run each candidate is, shape (candidates,).
    """

    instance: Instance
    schedule: Schedule
    loads: Loads
    requests: NDArray[np.int64]


def simulate(
    system: System,
    requests: Requests,
    epochs: int,
    scheduler: Scheduler,
    longest_tokens: tuple[int, int] = (0, 0),
) -> Iterator[Epoch]:
    """Run `scheduler` over `epochs` epochs, and check each of its schedules.

    A request that arrives during one epoch is a candidate from the start of the next. The node turns
    away requests that need more accuracy than its model offers, or whose prompt is above a fixed padding.
    A candidate that is not scheduled stays while it could still be served alone in time, then expires.
    Schedulers see expected output lengths; who runs past a limit at the true ones is missed.

    Parameters
    ----------
    longest_tokens
        Longest prompt and output that the service admits.

    Yields
    ------
    Epoch
        In order of time.

    Raises
    ------
    InfeasibleSchedule
        If the scheduler returns a schedule that breaks a constraint.
    """
    epoch_s = system.slots.epoch_s
    arrived_in = np.floor_divide(requests.arrival_s, epoch_s).astype(np.int64)
    welcome = requests.accuracy <= system.quantization.accuracy
    transfer_s = system.slots.uplink_s + system.slots.downlink_s
    fixed = system.fixed_padding_tokens
    padded = requests.prompt_tokens
    if fixed is not None:
        welcome &= requests.prompt_tokens <= fixed
        padded = np.full_like(padded, fixed)
    gone = ~welcome
    expected = requests.expected_output_tokens
    alone_s = system.alone_s(padded, expected)
    for epoch in range(1, epochs + 1):
        here = np.flatnonzero(~gone[: np.searchsorted(arrived_in, epoch)])
        slack_s = requests.latency_s[here] - (epoch * epoch_s - requests.arrival_s[here]) - transfer_s
        in_time = fits(alone_s[here], np.minimum(system.slots.compute_s, slack_s))
        gone[here[~in_time]] = True
        at_hand = here[in_time]
        instance = _instance(system, requests, at_hand, epoch, longest_tokens, expected)
        schedule = scheduler(instance)
        loads = check(instance, schedule)
        if not np.array_equal(instance.output_tokens, requests.output_tokens[at_hand]):
            true = _instance(system, requests, at_hand, epoch, longest_tokens, requests.output_tokens)
            schedule, loads = in_hindsight(true, schedule)
        yield Epoch(instance, schedule, loads, at_hand)
        gone[at_hand[list(schedule.selected + schedule.missed)]] = True


def _instance(
    system: System,
    requests: Requests,
    at_hand: NDArray[np.int64],
    epoch: int,
    longest: tuple[int, int],
    output_tokens: NDArray[np.int64],
) -> Instance:
    """The candidates of an epoch, whose outputs have the lengths `output_tokens`."""
    epoch_s = system.slots.epoch_s
    waited_s = np.maximum(0.0, epoch * epoch_s - requests.arrival_s[at_hand])
    since = epoch - 1 - np.floor_divide(requests.arrival_s[at_hand], epoch_s).astype(np.int64)
    # beyond its last drawn epoch a request has expired, so that any drawn channel will do
    column = np.minimum(since, requests.uplink_share.shape[1] - 1)
    # bits of an answer grow with its length
    longer = output_tokens[at_hand] / requests.output_tokens[at_hand]
    return Instance(
        system,
        requests.prompt_tokens[at_hand],
        output_tokens[at_hand],
        requests.latency_s[at_hand],
        waited_s,
        requests.accuracy[at_hand],
        requests.uplink_share[at_hand, column],
        requests.downlink_share[at_hand, column] * longer,
        longest_prompt_tokens=longest[0],
        longest_output_tokens=longest[1],
    )
