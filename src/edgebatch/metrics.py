"""What a simulated run is measured by."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from edgebatch.model.system import System
from edgebatch.model.workload import Requests, draw_requests
from edgebatch.problem import Instance, Schedule
from edgebatch.setting import Setting
from edgebatch.simulation import Epoch, simulate

METRICS = (
    "throughput_per_s",
    "offered_per_s",
    "missed_per_s",
    "candidates",
    "batch_size",
    "upper_bound",
    "proven",
    "nodes",
    "cut_off",
    "uplink_load",
    "downlink_load",
    "memory_load",
    "compute_load",
)
"""What a run measures, one value a seed. Rates are per second of all epochs. `candidates`, `batch_size`,
`upper_bound` (that the scheduler proves) and `nodes` (of the search tree) are means over epochs. `proven` is
the share of epochs whose batch the scheduler proves to be the largest, `cut_off` that of epochs whose search
reached its node limit. Loads are shares of the budget, averaged over the epochs that serve somebody."""


def replicates_of(
    setting: Setting, tell: Callable[[str], None] | None = None
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Simulate a setting for each of its seeds.

    Parameters
    ----------
    tell
        Is told the seed at hand.

    Returns
    -------
    replicates, seconds
        For each seed its metrics; and the time spent in the workload, in the scheduler and in total.
    """
    scheduler, epochs = setting.scheduler.function(), setting.simulation.epochs
    seconds = {"workload": 0.0, "scheduler": 0.0, "total": 0.0}
    begin = time.perf_counter()

    def timed(instance: Instance) -> Schedule:
        start = time.perf_counter()
        schedule = scheduler(instance)
        seconds["scheduler"] += time.perf_counter() - start
        return schedule

    # compiled code is loaded at its first call, which is no part of the scheduler's time
    replicate(setting, draw(setting, 1, seed=0), 1, scheduler)
    replicates = []
    for seed in range(setting.simulation.seeds):
        if tell:
            tell(f"seed {seed + 1} of {setting.simulation.seeds}")
        start = time.perf_counter()
        requests = draw(setting, epochs, seed)
        seconds["workload"] += time.perf_counter() - start
        replicates.append({"seed": seed, **replicate(setting, requests, epochs, timed)})
    seconds["total"] = time.perf_counter() - begin
    return replicates, seconds


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
    longest = max(setting.workload.prompt_tokens), max(setting.workload.output_tokens)
    return measure(setting.system, requests, simulate(setting.system, requests, epochs, scheduler, longest))


def draw(setting: Setting, epochs: int, seed: int) -> Requests:
    """The requests of a setting over `epochs` epochs, with the random numbers of `seed`."""
    return draw_requests(setting.workload, setting.radio, setting.system.slots, epochs, seed)


def measure(system: System, requests: Requests, outcome: Iterable[Epoch]) -> dict[str, float]:
    """Measure one run; the keys are those of `METRICS`."""
    epochs = list(outcome)
    horizon_s = len(epochs) * system.slots.epoch_s
    served = sum(epoch.schedule.size for epoch in epochs)
    busy = [epoch.loads for epoch in epochs if epoch.schedule.size]
    return {
        "throughput_per_s": served / horizon_s,
        "offered_per_s": requests.arrival_s.size / horizon_s,
        "missed_per_s": sum(len(epoch.schedule.missed) for epoch in epochs) / horizon_s,
        "candidates": _mean(epoch.instance.size for epoch in epochs),
        "batch_size": served / len(epochs),
        "upper_bound": _mean(epoch.schedule.upper_bound for epoch in epochs),
        "proven": _mean(epoch.schedule.optimal for epoch in epochs),
        "nodes": sum(epoch.schedule.nodes_visited for epoch in epochs) / len(epochs),
        "cut_off": _mean(epoch.schedule.node_limit_reached for epoch in epochs),
        "uplink_load": _mean(load.uplink_share for load in busy),
        "downlink_load": _mean(load.downlink_share for load in busy),
        "memory_load": _mean(load.memory_bytes / system.edge_node.memory_bytes for load in busy),
        "compute_load": _mean(load.compute_time_s / load.deadline_s for load in busy),
    }


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return float(np.mean(found)) if found else 0.0
