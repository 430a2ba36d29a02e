"""What a run of several nodes is measured by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgebatch.epoch_service import epoch_service
from edgebatch.model.workload import Requests
from edgebatch.network.problem import Node
from edgebatch.network.simulation import NetworkEpoch
from edgebatch.service import Service, bound_gap, measure_service


def measure_network(
    nodes: Sequence[Node], requests: Requests, epochs: Sequence[NetworkEpoch]
) -> dict[str, float]:
    """Measure one run; the keys are some of `edgebatch.metrics.METRICS`.

    Batches, candidates and bounds are those of all nodes together. Loads are means over the batches of all
    nodes.
    """
    horizon_s = len(epochs) * nodes[0].system.slots.epoch_s
    served = sum(epoch.schedule.size for epoch in epochs)
    busy = [
        (node, at)
        for epoch in epochs
        for node, at in zip(nodes, epoch.nodes, strict=True)
        if at.requests.size
    ]
    users = measure_service(_service(nodes, requests, epochs), horizon_s)
    loads = [
        (
            at.loads.uplink_share,
            at.loads.downlink_share,
            at.loads.memory_bytes / node.system.edge_node.memory_bytes,
            at.loads.compute_time_s / at.loads.deadline_s,
        )
        for node, at in busy
    ]
    of_loads = np.mean(loads, axis=0).tolist() if loads else [0.0] * 4
    names = ("uplink_load", "downlink_load", "memory_load", "compute_load")
    return {
        **users,
        **dict(zip(names, of_loads, strict=True)),
        "throughput_per_s": served / horizon_s,
        "offered_per_s": requests.arrival_s.size / horizon_s,
        "candidates": float(np.mean([epoch.candidates for epoch in epochs])),
        "batch_size": served / len(epochs),
        "upper_bound": float(np.mean([epoch.schedule.upper_bound for epoch in epochs])),
        "bound_gap": float(np.mean([bound_gap(of.schedule.size, of.schedule.upper_bound) for of in epochs])),
        "proven": float(np.mean([epoch.schedule.optimal for epoch in epochs])),
    }


def _service(nodes: Sequence[Node], requests: Requests, epochs: Sequence[NetworkEpoch]) -> Service:
    """What became of each request, wherever it was served; turned away is who no node can take."""
    of_nodes = [
        epoch_service(node.system, requests, [epoch.nodes[place] for epoch in epochs])
        for place, node in enumerate(nodes)
    ]
    in_time = np.any([of.in_time for of in of_nodes], axis=0)
    times_s = {}
    for name in ("ttft_s", "tpot_s", "latency_s"):
        times_s[name] = np.full(in_time.size, np.nan)
        for of in of_nodes:
            times_s[name][of.in_time] = getattr(of, name)[of.in_time]
    return Service(
        in_time,
        np.all([of.turned_away for of in of_nodes], axis=0),
        **times_s,
        output_tokens=requests.output_tokens,
    )
