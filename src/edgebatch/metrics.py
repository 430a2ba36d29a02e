"""What a simulated run is measured by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from edgebatch.epoch_service import epoch_service
from edgebatch.model.system import System
from edgebatch.model.trace import Trace
from edgebatch.model.workload import Requests, draw_requests
from edgebatch.network.drop import draw_drop
from edgebatch.network.measures import measure_network
from edgebatch.network.simulation import simulate_network
from edgebatch.problem import Instance, Schedule
from edgebatch.service import SERVICE_METRICS, bound_gap, measure_service
from edgebatch.serving.run import serve
from edgebatch.setting import Setting
from edgebatch.simulation import Epoch, simulate

METRICS = (
    "throughput_per_s",
    "offered_per_s",
    "missed_per_s",
    "candidates",
    "batch_size",
    "upper_bound",
    "bound_gap",
    "proven",
    "nodes",
    "cut_off",
    "uplink_load",
    "downlink_load",
    "memory_load",
    "compute_load",
    *SERVICE_METRICS,
    "preemptions_per_s",
)
"""What a run measures, one value a seed. Rates are per second of all epochs. `candidates`, `batch_size`,
`upper_bound` (that the scheduler proves) and `nodes` (of the search tree) are means over epochs. `bound_gap`
is the mean part of that bound which the batch misses. `proven` is
the share of epochs whose batch the scheduler proves to be the largest, `cut_off` that of epochs whose search
reached its node limit. Loads are shares of the budget, averaged over the epochs that serve somebody.
`throughput_per_s` is the paper's name of the goodput.

With several nodes, batches, candidates and bounds are those of all together.
Continuous batching has no epochs, and 0 for means over them. `missed_per_s` counts answers that come too
late, `preemptions_per_s` requests that lose their cache. Loads of bands are means over the slots that carry
somebody, that of the memory over the time in which the node computes, and that of computing is its share of
time."""


def replicates_of(
    setting: Setting, tell: Callable[[str], None] | None = None, trace: Trace | None = None
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Simulate a setting for each of its seeds.

    Parameters
    ----------
    tell
        Is told the seed at hand.
    trace
        Content of the workload's trace, if it has one.

    Returns
    -------
    replicates, seconds
        For each seed its metrics; and the time spent in the workload, in the scheduler and in total.
    """
    epochs = setting.simulation.epochs
    seconds = {"workload": 0.0, "scheduler": 0.0, "total": 0.0}
    begin = time.perf_counter()
    # compiled code is loaded at its first call, which is no part of the scheduler's time
    _run(setting, 1, 0, trace, dict(seconds))
    replicates = []
    for seed in range(setting.simulation.seeds):
        if tell:
            tell(f"seed {seed + 1} of {setting.simulation.seeds}")
        replicates.append({"seed": seed, **_run(setting, epochs, seed, trace, seconds)})
    seconds["total"] = time.perf_counter() - begin
    return replicates, seconds


def _run(
    setting: Setting, epochs: int, seed: int, trace: Trace | None, seconds: dict[str, float]
) -> dict[str, float]:
    """One run, whose times are added to `seconds`; the keys are those of `METRICS`."""
    choice = setting.scheduler
    scheduler = None if choice.is_policy else _timed(setting.function(), seconds)
    start = time.perf_counter()
    if setting.cells is not None:
        assert scheduler is not None, "several nodes have a method"
        drop = draw_drop(setting.cells, setting.system, setting.workload, setting.radio, epochs, seed)
        seconds["workload"] += time.perf_counter() - start
        nodes = setting.cells.of(setting.system)
        found = measure_network(nodes, drop.requests, list(simulate_network(nodes, drop, scheduler)))
        return {name: found.get(name, 0.0) for name in METRICS}
    requests = draw(setting, epochs, seed, trace)
    seconds["workload"] += time.perf_counter() - start
    if scheduler is None:
        return measure_continuous(setting, requests, epochs)
    return replicate(setting, requests, epochs, scheduler)


def _timed(scheduler: Callable[[Any], Any], seconds: dict[str, float]) -> Callable[[Any], Any]:
    """`scheduler`, whose time is added to `seconds`."""

    def timed(problem: Any) -> Any:
        start = time.perf_counter()
        schedule = scheduler(problem)
        seconds["scheduler"] += time.perf_counter() - start
        return schedule

    return timed


def replicate(
    setting: Setting, requests: Requests, epochs: int, scheduler: Callable[[Instance], Schedule]
) -> dict[str, float]:
    """Simulate a setting over `epochs` epochs with one draw of its requests, and measure the run.

    Parameters
    ----------
    requests
        Drawn by `draw` for as many epochs.
    scheduler
        The setting's scheduler with its options, perhaps wrapped to be timed.
    """
    lengths = setting.workload.prompt_tokens, setting.workload.output_tokens
    if setting.workload.trace is not None:
        lengths = (1, *requests.prompt_tokens.tolist()), (1, *requests.output_tokens.tolist())
    longest = max(lengths[0]), max(lengths[1])
    return measure(setting.system, requests, simulate(setting.system, requests, epochs, scheduler, longest))


def draw(setting: Setting, epochs: int, seed: int, trace: Trace | None = None) -> Requests:
    """The requests of a setting over `epochs` epochs, with the random numbers of `seed`."""
    return draw_requests(setting.workload, setting.radio, setting.system.slots, epochs, seed, trace)


def measure(system: System, requests: Requests, outcome: Iterable[Epoch]) -> dict[str, float]:
    """Measure one run; the keys are those of `METRICS`."""
    epochs = list(outcome)
    horizon_s = len(epochs) * system.slots.epoch_s
    served = sum(epoch.schedule.size for epoch in epochs)
    busy = [epoch.loads for epoch in epochs if epoch.schedule.size]
    measured = {
        "throughput_per_s": served / horizon_s,
        "offered_per_s": requests.arrival_s.size / horizon_s,
        "missed_per_s": sum(len(epoch.schedule.missed) for epoch in epochs) / horizon_s,
        "candidates": _mean(epoch.instance.size for epoch in epochs),
        "batch_size": served / len(epochs),
        "upper_bound": _mean(epoch.schedule.upper_bound for epoch in epochs),
        "bound_gap": _mean(bound_gap(epoch.schedule.size, epoch.schedule.upper_bound) for epoch in epochs),
        "proven": _mean(epoch.schedule.optimal for epoch in epochs),
        "nodes": sum(epoch.schedule.nodes_visited for epoch in epochs) / len(epochs),
        "cut_off": _mean(epoch.schedule.node_limit_reached for epoch in epochs),
        "uplink_load": _mean(load.uplink_share for load in busy),
        "downlink_load": _mean(load.downlink_share for load in busy),
        "memory_load": _mean(load.memory_bytes / system.edge_node.memory_bytes for load in busy),
        "compute_load": _mean(load.compute_time_s / load.deadline_s for load in busy),
        **measure_service(epoch_service(system, requests, epochs), horizon_s),
        "preemptions_per_s": 0.0,
    }
    return {name: measured[name] for name in METRICS}


def measure_continuous(setting: Setting, requests: Requests, epochs: int) -> dict[str, float]:
    """Serve a draw of requests by continuous batching, and measure; the keys are those of `METRICS`."""
    assert setting.serving is not None, "a policy has the limits of an engine"
    horizon_s = epochs * setting.system.slots.epoch_s
    service, use = serve(setting.system, requests, horizon_s, setting.scheduler.name, setting.serving)
    users = measure_service(service, horizon_s)
    measured = {
        **dict.fromkeys(METRICS, 0.0),
        **users,
        **use,
        "throughput_per_s": users["goodput_per_s"],
        "offered_per_s": requests.arrival_s.size / horizon_s,
    }
    return {name: measured[name] for name in METRICS}


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else 0.0
