"""Branch and bound over boxes: optimal for any lengths, shares and cost model, at thousands of candidates."""

from __future__ import annotations

import threading
import numpy as np

from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule
from edgebatch.model.roofline import Roofline
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_node_limit, check_time_limit
from edgebatch.search.batch_cost import Candidates, Prices
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


def candidates_of(instance: Instance, servable):
    order = servable[np.argsort(instance.output_tokens[servable], kind="stable")]
    lengths, rank = np.unique(instance.output_tokens[order], return_inverse=True)
    prompt = instance.prompt_tokens[order].astype(float)
    deadline_s = instance.deadline_s[order] * (1 + RELATIVE_TOLERANCE)
    slack = 1 + RELATIVE_TOLERANCE
    return order, Candidates(
        instance.uplink_share[order] / slack,
        instance.downlink_share[order] / slack,
        prompt,
        deadline_s,
        rank,
        np.argsort(prompt, kind="stable"),
        np.argsort(-deadline_s, kind="stable"),
        lengths.astype(float),
        prices_of(instance.system),
    )


def prices_of(system) -> Prices:
    llm, spf, spb = system.llm, system.seconds_per_flop, system.seconds_per_byte
    token_bytes = system.kv_bytes(0, 1)
    room = system.edge_node.memory_bytes * (1 + RELATIVE_TOLERANCE + 1e-15) - system.weight_bytes
    square = llm.layers * 4 * llm.hidden_size
    return Prices(
        batch_max=getattr(system, "output_billing", "own") == "batch_max",
        padding=float(system.fixed_padding_tokens or 0),
        memory_tokens=float(room / token_bytes),
        constant_s=0.0,
        first_s=float((llm.prefill_flops(1) - square) * spf),
        first_square_s=float(square * spf),
        token_s=float(llm.weight_bytes * spf),
        context_s=float(llm.kv_bytes_per_token * spf),
        kv_read_s=float(token_bytes * spb),
        dense_first_s=float(system.weight_bytes * spb),
        dense_s=float(system.weight_bytes * spb),
        expert_s=0.0,
        expert_missed=0.0,
    )
