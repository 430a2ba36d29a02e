"""Epochs in real time: who has arrived is scheduled, the batch runs on the engine, late answers are late."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgebatch.checker import check
from edgebatch.engine.clock import Clock
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, System
from edgebatch.model.workload import Requests
from edgebatch.problem import Instance, Schedule, fits


class Node(Protocol):
    """What runs the requests that a scheduler chose."""

    def run(self, groups: Sequence[Sequence[int]]) -> list[list[float]]:
        """Run the batch, the only group, or the queue of each device; some may be empty.

        Returns
        -------
        list of list of float
            When each request had its last token, in seconds after the call.
        """


class EpochRun(NamedTuple):
    """One epoch as it was run.

    Attributes
    ----------
    start_s
        When it began.
    requests
        Who was served: numbers of requests.
    padded_prompt_tokens
        What prompts were padded to; 0 without a batch.
    solve_s
        How long the scheduler took.
    predicted_s
        Compute time by the cost model, without margin.
    deadline_s
        Compute time within which all are in time.
    measured_s
        Compute time on the engine.
    """

    start_s: float
    requests: tuple[int, ...]
    padded_prompt_tokens: int
    solve_s: float
    predicted_s: float
    deadline_s: float
    measured_s: float


def with_margin(system: System, margin: float) -> System:
    """The same node, but every compute time takes 1 / (1 - margin) times as long.

    Who is in time under it, is in time if the real node takes longer than predicted by that factor.
    """
    left, node, cost = 1 - margin, system.edge_node, system.cost
    slower = EdgeNode(node.flops * left, node.memory_bytes, node.devices)
    if isinstance(cost, Roofline):
        cost = dataclasses.replace(
            cost,
            memory_bandwidth_bytes_per_s=cost.memory_bandwidth_bytes_per_s * left,
            step_s=cost.step_s / left,
            layer_s=cost.layer_s / left,
        )
    return dataclasses.replace(system, edge_node=slower, cost=cost)


def run_epochs(
    node: Node,
    system: System,
    margin: float,
    requests: Requests,
    epochs: int,
    scheduler: Callable[[Instance], Schedule],
    clock: Clock,
) -> tuple[list[EpochRun], NDArray[np.float64]]:
    """Run epochs in real time.

    An epoch begins with the choice among those who have arrived. Then come the uplink slot, the batch as long
    as it takes, and the downlink slot. The next begins when its time has come and this one is over. Who could
    no longer be served alone expires.

    Parameters
    ----------
    margin
        Share of the compute time that the scheduler leaves, as in `with_margin`.

    Returns
    -------
    runs, answered_s
        The epochs; and when each request had its answer, NaN if never, shape (requests,).
    """
    slots, seen = system.slots, with_margin(system, margin)
    answered_s = np.full(requests.arrival_s.size, np.nan)
    transfer_s = slots.uplink_s + slots.downlink_s
    alone_s = seen.alone_s(requests.prompt_tokens, requests.output_tokens)
    waiting, runs = np.ones(requests.arrival_s.size, dtype=bool), []
    for number in range(1, epochs + 1):
        clock.sleep_until(number * slots.epoch_s)
        start_s = clock.now()
        here = np.flatnonzero(waiting & (requests.arrival_s <= start_s))
        slack_s = requests.latency_s[here] - (start_s - requests.arrival_s[here]) - transfer_s
        expired = ~fits(alone_s[here], np.minimum(slots.compute_s, slack_s))
        waiting[here[expired]] = False
        here = here[~expired]
        instance = _instance(seen, requests, here, start_s)
        schedule = scheduler(instance)
        solved_s = clock.now()
        served = here[list(schedule.selected)]
        waiting[here[list(schedule.selected + schedule.missed)]] = False
        loads = check(dataclasses.replace(instance, system=system), schedule)
        clock.sleep_until(solved_s + slots.uplink_s)
        begin_s = clock.now()
        chosen = [schedule.selected] if schedule.device_queues is None else schedule.device_queues
        groups = [here[list(group)].tolist() for group in chosen]
        for group, ends_s in zip(groups, node.run(groups), strict=True):
            answered_s[group] = begin_s + np.array(ends_s) + slots.downlink_s
        measured_s = clock.now() - begin_s
        runs.append(
            EpochRun(
                start_s,
                tuple(int(request) for request in served),
                loads.padded_prompt_tokens,
                solved_s - start_s,
                loads.compute_time_s,
                loads.deadline_s,
                measured_s,
            )
        )
        clock.sleep_until(clock.now() + slots.downlink_s)
    return runs, answered_s


def _instance(system: System, requests: Requests, here: NDArray[np.int64], start_s: float) -> Instance:
    """Who can be served in an epoch that begins at `start_s`."""
    epoch_s, arrival_s = system.slots.epoch_s, requests.arrival_s[here]
    since = (start_s // epoch_s - 1 - arrival_s // epoch_s).astype(np.int64)
    column = np.clip(since, 0, requests.uplink_share.shape[1] - 1)
    return Instance(
        system,
        requests.prompt_tokens[here],
        requests.output_tokens[here],
        requests.latency_s[here],
        np.maximum(0.0, start_s - arrival_s),
        requests.accuracy[here],
        requests.uplink_share[here, column],
        requests.downlink_share[here, column],
        longest_prompt_tokens=int(requests.prompt_tokens.max(initial=1)),
        longest_output_tokens=int(requests.output_tokens.max(initial=1)),
    )
