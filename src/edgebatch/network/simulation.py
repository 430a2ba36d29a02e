"""Epochs of several nodes in sequence: candidates wait, are scheduled at one of the nodes, or expire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.system import System
from edgebatch.model.workload import Requests
from edgebatch.network.checker import check_network
from edgebatch.network.problem import OUT_OF_REACH, Network, NetworkSchedule, Node
from edgebatch.problem import Schedule, fits
from edgebatch.simulation import Epoch

Method = Callable[[Network], NetworkSchedule]


@dataclass(frozen=True)
class Drop:
    """Users of a run, and what each of them needs of the bands of each node.

    Attributes
    ----------
    requests
        When they ask for what; the shares in it are of no account.
    uplink_share, downlink_share
        Least shares in each epoch after the arrival, shape (nodes, requests, epochs).
    works
        Whether each node works in each epoch, shape (epochs, nodes).
    """

    requests: Requests
    uplink_share: NDArray[np.float64]
    downlink_share: NDArray[np.float64]
    works: NDArray[np.bool_]


@dataclass(frozen=True)
class NetworkEpoch:
    """One epoch of all nodes.

    Attributes
    ----------
    candidates
        How many requests there were to serve.
    schedule
        Who is served where.
    nodes
        The batch of each node, as an epoch of that node alone.
    """

    candidates: int
    schedule: NetworkSchedule
    nodes: tuple[Epoch, ...]


def simulate_network(nodes: Sequence[Node], drop: Drop, method: Method) -> Iterator[NetworkEpoch]:
    """Run `method` over the epochs of `drop`, and check each of its schedules.

    A request that arrives during one epoch is a candidate of all nodes from the start of the next. It stays
    while some node could still serve it alone in time, then expires. A node that does not work in an epoch
    reaches nobody; its candidates go elsewhere, wait, or expire. All nodes have the slots of the first.

    Yields
    ------
    NetworkEpoch
        In order of time.

    Raises
    ------
    InfeasibleSchedule
        If the method returns a schedule that breaks a constraint, or serves a request twice.
    """
    requests, slots = drop.requests, nodes[0].system.slots
    arrived_in = np.floor_divide(requests.arrival_s, slots.epoch_s).astype(np.int64)
    soonest_s = np.min([_alone_s(node.system, requests) for node in nodes], axis=0)
    gone = ~np.isfinite(soonest_s)
    for epoch, works in enumerate(drop.works, 1):
        here = np.flatnonzero(~gone[: np.searchsorted(arrived_in, epoch)])
        waited_s = np.maximum(0.0, epoch * slots.epoch_s - requests.arrival_s[here])
        slack_s = requests.latency_s[here] - waited_s - slots.uplink_s - slots.downlink_s
        in_time = fits(soonest_s[here], np.minimum(slots.compute_s, slack_s))
        gone[here[~in_time]] = True
        at_hand, waited_s = here[in_time], waited_s[in_time]
        # beyond its last drawn epoch a request has expired, so that any drawn channel will do
        column = np.minimum(epoch - 1 - arrived_in[at_hand], drop.uplink_share.shape[2] - 1)
        network = Network(
            tuple(nodes),
            requests.prompt_tokens[at_hand],
            requests.output_tokens[at_hand],
            requests.latency_s[at_hand],
            waited_s,
            requests.accuracy[at_hand],
            np.where(works[:, None], drop.uplink_share[:, at_hand, column], OUT_OF_REACH),
            np.where(works[:, None], drop.downlink_share[:, at_hand, column], OUT_OF_REACH),
        )
        schedule = method(network)
        yield NetworkEpoch(network.size, schedule, _of_each_node(network, schedule, at_hand))
        gone[at_hand[[i for batch in schedule.batches for i in batch]]] = True


def _alone_s(system: System, requests: Requests) -> NDArray[np.float64]:
    """Compute time of each request alone on a node; infinite where its model cannot serve it."""
    padded, able = requests.prompt_tokens, requests.accuracy <= system.quantization.accuracy
    if system.fixed_padding_tokens is not None:
        able &= padded <= system.fixed_padding_tokens
        padded = np.full_like(padded, system.fixed_padding_tokens)
    return np.where(able, system.alone_s(padded, requests.output_tokens), np.inf)


def _of_each_node(
    network: Network, schedule: NetworkSchedule, at_hand: NDArray[np.int64]
) -> tuple[Epoch, ...]:
    """Check a schedule, and split it by node."""
    epochs = []
    for place, loads in enumerate(check_network(network, schedule)):
        batch = np.array(schedule.batches[place], dtype=np.int64)
        size = len(batch)
        alone = Schedule(tuple(range(size)), upper_bound=size, weight=size)
        epochs.append(Epoch(network.instance(place, batch), alone, loads, at_hand[batch]))
    return tuple(epochs)
