"""Whether a schedule of a network counts: every constraint of every node, recomputed from its requests."""

from __future__ import annotations

import numpy as np

from edgebatch.checker import Loads, check
from edgebatch.errors import InfeasibleSchedule
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.problem import Schedule, fits


def check_network(network: Network, schedule: NetworkSchedule) -> tuple[Loads, ...]:
    """Recompute every constraint of every node for `schedule`.

    Returns
    -------
    tuple of Loads
        What the batch of each node uses of each of its budgets.

    Raises
    ------
    InfeasibleSchedule
        If a request is served twice, or where it is out of reach, or a node breaks a constraint, or weight
        or bound are wrong.
    """
    if len(schedule.batches) != len(network.nodes):
        raise InfeasibleSchedule(f"{len(schedule.batches)} batches for {len(network.nodes)} nodes")
    served = [i for batch in schedule.batches for i in batch]
    if any(not 0 <= i < network.size for i in served):
        raise InfeasibleSchedule(f"a request outside the {network.size} of the network is served")
    if len(set(served)) != len(served):
        raise InfeasibleSchedule("a request is served twice")
    loads = []
    for place, (node, batch) in enumerate(zip(network.nodes, schedule.batches, strict=True)):
        requests = np.array(batch, dtype=np.int64)
        if not np.isfinite(network.uplink_share[place, requests]).all():
            raise InfeasibleSchedule(f"node {node.id}: a request out of its reach is served")
        instance = network.instance(place, requests)
        weight = instance.weight_of(range(len(batch)))
        try:
            alone = Schedule(tuple(range(len(batch))), upper_bound=weight, weight=weight)
            loads.append(check(instance, alone))
        except InfeasibleSchedule as fault:
            raise InfeasibleSchedule(f"node {node.id}: {fault}") from None
    weight = float(network.weight[served].sum())
    if not (fits(weight, schedule.weight) and fits(schedule.weight, weight)):
        raise InfeasibleSchedule(f"weight {schedule.weight} is not that of its requests, {weight}")
    if not fits(weight, schedule.upper_bound):
        raise InfeasibleSchedule(f"weight {schedule.weight} exceeds its own bound {schedule.upper_bound}")
    return tuple(loads)
