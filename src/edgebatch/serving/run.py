"""A run of continuous batching behind the radio: uplink slots, the node, downlink slots."""

from __future__ import annotations

import numpy as np

from edgebatch.model.system import System
from edgebatch.model.workload import Requests
from edgebatch.problem import fits
from edgebatch.service import Service
from edgebatch.serving.admission import Arrivals, Gate
from edgebatch.serving.continuous import simulate_continuous
from edgebatch.serving.latency import latency
from edgebatch.serving.limits import Limits
from edgebatch.serving.policies import get
from edgebatch.serving.radio_slots import Passage, through_slots


def serve(
    system: System, requests: Requests, horizon_s: float, policy: str, limits: Limits
) -> tuple[Service, dict[str, float]]:
    """Serve requests by continuous batching.

    A request gets its share of an uplink slot before it joins, and of a downlink slot after its last token.
    Slots of a band follow each other; who comes first is up to the policy on the uplink, and to the order in
    which answers are ready on the downlink. Answers after `horizon_s` do not count as in time.

    Returns
    -------
    service, use
        What became of each request; and what was used of each budget, in the keys of `edgebatch.metrics`.
    """
    slots, chosen = system.slots, get(policy)
    priority = np.asarray(
        chosen.priority(requests.arrival_s, requests.expected_output_tokens, requests.latency_s), dtype=float
    )
    # an answer has to be there when the last slot begins that ends in time
    last_slot = np.floor((requests.arrival_s + requests.latency_s) / slots.downlink_s) - 1
    deadline_s = last_slot * slots.downlink_s
    accurate = requests.accuracy <= system.quantization.accuracy
    held = requests.prompt_tokens + requests.output_tokens - 1 <= limits.capacity(system)
    arrival_s = np.where(accurate & held, requests.arrival_s, np.nan)
    uplink = Passage(np.zeros(0), 0.0)
    gate = None
    if chosen.admit is None:
        uplink = through_slots(
            arrival_s, requests.arrival_s, requests.uplink_share, priority, slots.uplink_s, slots.epoch_s
        )
        entry_s = uplink.end_s
    else:
        entry_s = arrival_s
        gate = Gate(
            system,
            limits,
            chosen.admit,
            Arrivals(
                requests.arrival_s,
                requests.prompt_tokens,
                requests.expected_output_tokens,
                np.where(accurate & held, deadline_s, -np.inf),
                requests.uplink_share,
                slots.uplink_s,
                slots.epoch_s,
            ),
        )
    timeline = simulate_continuous(
        system, entry_s, requests.prompt_tokens, requests.output_tokens, priority, limits, gate
    )
    downlink = through_slots(
        timeline.last_token_s,
        requests.arrival_s,
        requests.downlink_share,
        timeline.last_token_s,
        slots.downlink_s,
        slots.epoch_s,
    )
    times = latency(timeline, requests.arrival_s, requests.output_tokens)
    delivered_s = np.where(np.isfinite(downlink.end_s), downlink.end_s, np.nan)
    taken_s = delivered_s - requests.arrival_s
    with np.errstate(invalid="ignore"):
        kept = fits(taken_s, requests.latency_s)
        in_time = kept & fits(delivered_s, horizon_s)
    service = Service(
        in_time,
        ~(accurate & held),
        times.ttft_s + requests.network_s,
        times.tpot_s,
        taken_s + requests.network_s,
        requests.output_tokens,
    )
    until_s = max(horizon_s, timeline.end_s)
    return service, {
        "uplink_load": uplink.load if gate is None else gate.uplink_load,
        "downlink_load": downlink.load,
        "memory_load": (system.resident_bytes + float(system.kv_bytes(0, timeline.cached_tokens)))
        / system.edge_node.memory_bytes,
        "compute_load": timeline.busy_s / until_s,
        "missed_per_s": float(np.sum(np.isfinite(delivered_s) & ~kept) / horizon_s),
        "preemptions_per_s": float(timeline.preemptions.sum() / horizon_s),
    }
