"""One setting simulated: ``python -m edgebatch_artifact.runs.simulate SETTING RESULT``; a job runs a batch of them."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgebatch.errors import InputError
from edgebatch.io.command_line import Parser
from edgebatch.io.json_text import read_json
from edgebatch.model.system import System
from edgebatch.model.workload import Requests, draw_requests
from edgebatch.setting import Setting, identity, read_setting
from edgebatch.simulation import Epoch, simulate
from edgebatch_artifact.runs.result_file import FORMAT, run_text
from edgebatch_artifact.storage.files import write

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
reached its node limit. Loads are shares of the budget at the schedules that are not empty."""


def run(setting: Setting, code: str, progress: bool = False) -> tuple[dict[str, Any], dict[str, float]]:
    """Simulate a setting for each of its seeds.

    Parameters
    ----------
    code
        Fingerprint of the code that runs, stored with the result.
    progress
        Whether to show the seed at hand on standard error.

    Returns
    -------
    result, seconds
        What is stored; and the time spent in the workload, the scheduler, and all of it.
    """
    scheduler = setting.scheduler.function()
    seconds = {"workload": 0.0, "scheduler": 0.0, "total": 0.0}
    begin = time.perf_counter()

    def timed(instance: Any) -> Any:
        start = time.perf_counter()
        schedule = scheduler(instance)
        seconds["scheduler"] += time.perf_counter() - start
        return schedule

    longest = max(setting.workload.prompt_tokens), max(setting.workload.output_tokens)
    epochs = setting.simulation.epochs
    # compiled code is loaded at its first call, which is no part of the scheduler's time
    first = draw_requests(setting.workload, setting.radio, setting.system.slots, 1, seed=0)
    list(simulate(setting.system, first, 1, scheduler, longest))
    replicates = []
    for seed in range(setting.simulation.seeds):
        if progress:
            print(f"\rseed {seed + 1} of {setting.simulation.seeds}", end="", file=sys.stderr, flush=True)
        start = time.perf_counter()
        requests = draw_requests(setting.workload, setting.radio, setting.system.slots, epochs, seed)
        seconds["workload"] += time.perf_counter() - start
        outcome = simulate(setting.system, requests, epochs, timed, longest)
        replicates.append({"seed": seed, **measure(setting.system, requests, outcome)})
    if progress:
        print(file=sys.stderr)
    seconds["total"] = time.perf_counter() - begin
    content = setting.as_dict()
    result = {
        "format": FORMAT,
        "id": identity(content),
        "code": code,
        "setting": content,
        "replicates": replicates,
    }
    return result, seconds


def measure(system: System, requests: Requests, outcome: Iterable[Epoch]) -> dict[str, float]:
    """Measure one run; the keys are those of `METRICS`."""
    epochs = list(outcome)
    horizon_s = len(epochs) * system.slots.epoch_s
    served = sum(epoch.schedule.size for epoch in epochs)
    busy = [epoch.loads for epoch in epochs if epoch.schedule.size]

    def mean(values: Iterable[float]) -> float:
        found = list(values)
        return float(np.mean(found)) if found else 0.0

    return {
        "throughput_per_s": served / horizon_s,
        "offered_per_s": requests.arrival_s.size / horizon_s,
        "missed_per_s": sum(len(epoch.schedule.missed) for epoch in epochs) / horizon_s,
        "candidates": mean(epoch.instance.size for epoch in epochs),
        "batch_size": served / len(epochs),
        "upper_bound": mean(epoch.schedule.upper_bound for epoch in epochs),
        "proven": mean(epoch.schedule.optimal for epoch in epochs),
        "nodes": sum(epoch.schedule.nodes_visited for epoch in epochs) / len(epochs),
        "cut_off": mean(epoch.schedule.node_limit_reached for epoch in epochs),
        "uplink_load": mean(load.uplink_share for load in busy),
        "downlink_load": mean(load.downlink_share for load in busy),
        "memory_load": mean(load.memory_bytes / system.edge_node.memory_bytes for load in busy),
        "compute_load": mean(load.compute_time_s / load.deadline_s for load in busy),
    }


def simulate_file(setting: Path, result: Path, code: str, progress: bool = False) -> dict[str, float]:
    """Simulate the setting of a file, and store its result; returns the seconds that `run` tells.

    Raises
    ------
    InputError
        For a file that cannot be read, is not JSON, or is not a setting, and a result that cannot be written.
    """
    found, seconds = run(read_setting(read_json(setting), str(setting)), code, progress)
    write(result, run_text(found))
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate the setting of a file, and store the result of it."""
    parser = Parser(prog="python -m edgebatch_artifact.runs.simulate", description=__doc__)
    parser.add_argument("setting", type=Path, help="file of results/settings/")
    parser.add_argument("result", type=Path, help="file to write, whole or not at all")
    parser.add_argument("--code", required=True, help="fingerprint of the code that runs")
    chosen = parser.parse_args(arguments)
    try:
        seconds = simulate_file(chosen.setting, chosen.result, chosen.code, progress=sys.stderr.isatty())
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)
        return 2
    print(json.dumps({**seconds, "process": time.process_time()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
