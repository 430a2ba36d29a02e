"""Random numbers of a run of several nodes: users, channels to each node, and nodes that fail."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edgebatch.model.radio import Radio
from edgebatch.model.system import System
from edgebatch.model.workload import Workload, draw_requests, stream
from edgebatch.network.cells import draw_channels, hexagonal_sites, shares
from edgebatch.network.problem import Node
from edgebatch.network.simulation import Drop
from edgebatch.schema import Checked, integer, real

CELL_CHANNELS, FAILURES = 5, 6
"""Random streams beside those of `edgebatch.model.workload`."""


class Cells(Checked):
    """Several nodes: base stations on a hexagonal grid, each with devices and a model of its own.

    Attributes
    ----------
    nodes
        How many.
    distance_m
        Between neighbours.
    failure_share
        In which share of its epochs a node fails.
    proves
        Whether every schedule gets an upper bound, also where its method proves none.
    kinds
        Systems that the nodes have in turn; those of the setting where there are none.
    """

    nodes: int = integer(at_least=1, at_most=1000)
    distance_m: float = real(above=0)
    failure_share: float = real(at_least=0, at_most=1)
    proves: bool
    kinds: tuple[System, ...]

    def of(self, system: System) -> tuple[Node, ...]:
        """The nodes, `system` being that of the setting."""
        kinds: Sequence[System] = self.kinds or (system,)
        return tuple(Node(f"n{place}", kinds[place % len(kinds)]) for place in range(self.nodes))


def draw_drop(cells: Cells, system: System, workload: Workload, radio: Radio, epochs: int, seed: int) -> Drop:
    """Users that arrive during `epochs` epochs in the cells of all nodes.

    The same users come with the same requests whatever the nodes are; where they are follows the number of
    nodes.

    Raises
    ------
    InputError
        For a radio whose users have no place.
    """
    requests = draw_requests(workload, radio, system.slots, epochs, seed)
    waits = 1 + math.ceil(float(requests.latency_s.max(initial=0.0)) / system.slots.epoch_s)
    sites = hexagonal_sites(cells.nodes, cells.distance_m)
    channel = draw_channels(radio, sites, stream(seed, CELL_CHANNELS), requests.arrival_s.size, waits)
    uplink_bits = requests.prompt_tokens * radio.bits_per_token + workload.payload_bits
    downlink_bits = requests.output_tokens * radio.bits_per_token
    uplink, downlink = shares(radio, [system.slots] * cells.nodes, channel, uplink_bits, downlink_bits)
    fails = stream(seed, FAILURES).random((epochs, cells.nodes)) < cells.failure_share
    return Drop(requests, np.asarray(uplink), np.asarray(downlink), ~fails)
