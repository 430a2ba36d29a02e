"""Branch and bound over boxes: optimal for any lengths, shares and cost model, at thousands of candidates."""

from __future__ import annotations

import threading
import numpy as np

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_node_limit, check_time_limit
from edgebatch.search.batch_cost import candidates_of
from edgebatch.search.boxes import Limits, largest_batch


def schedule(
    instance: Instance, *, node_limit: int | None = None, time_limit_s: float | None = None
) -> Schedule:
    check_node_limit(node_limit)
    check_time_limit(time_limit_s)
    servable = np.flatnonzero(instance.servable())
    if servable.size == 0:
        return Schedule((), upper_bound=0)
    order, candidates = candidates_of(instance, servable)
    stopped = np.zeros(1, np.bool_)
    best = np.empty(servable.size, np.int64)
    timer = None
    if time_limit_s is not None:
        timer = threading.Timer(min(time_limit_s, threading.TIMEOUT_MAX), lambda: stopped.__setitem__(0, True))
        timer.daemon = True
        timer.start()
    size, bound, nodes = largest_batch(candidates, best, Limits(2**62 if node_limit is None else node_limit, stopped))
    if timer is not None:
        timer.cancel()
    return Schedule(
        tuple(sorted(order[best[:size]].tolist())),
        upper_bound=int(bound),
        nodes_visited=int(nodes),
        node_limit_reached=bool(bound > size),
    )
