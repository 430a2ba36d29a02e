"""Epochs and continuous batching for real, with the node that was fitted to the measured steps."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edgebatch.engine.clock import WallClock
from edgebatch.engine.epochs import EpochRun, run_epochs, with_margin
from edgebatch.engine.llama import Engine
from edgebatch.engine.node import DeviceNode, EngineNode
from edgebatch.engine.server import Room, run_server
from edgebatch.metrics import draw
from edgebatch.model.workload import Requests
from edgebatch.serving.radio_slots import through_slots
from edgebatch.serving.run import serve
from edgebatch.setting import Setting
from edgebatch.simulation import simulate
from edgebatch_artifact.engine.fits import fit_formats, node_of
from edgebatch_artifact.engine.measure import model_path
from edgebatch_artifact.engine.measurement import BATCHES, REQUESTS, Machine
from edgebatch_artifact.engine.stored import add_rows, read_rows
from edgebatch_artifact.settings.compose import compose_config, setting_of
from edgebatch_artifact.settings.measured.engine_file import WHERE

Tell = Callable[[str], None]


def replay_setting(conf: Path, machine: Machine, scheduler: str, efficiencies: dict[str, float]) -> Setting:
    """The setting of a replay: that of conf/ with the overrides, at the measured machine."""
    replay = machine.settings.replay
    overrides = [*replay.overrides, f"scheduler={scheduler}", f"simulation.epochs={replay.epochs}"]
    composed = setting_of(compose_config(conf, overrides, WHERE))
    system = node_of(machine, replay.format, composed.system.slots, efficiencies)
    return dataclasses.replace(composed, system=system)


def measure_replays(conf: Path, folder: Path, models: Path, machine: Machine, tell: Tell) -> None:
    """Run the replays that are left."""
    replay = machine.settings.replay
    efficiencies = fit_formats(machine, read_rows(folder, "steps"))[0][replay.format]
    before = read_rows(folder, "requests")
    done = set(zip(before["scheduler"], before["margin"], strict=True))
    runs = [(run.scheduler, margin) for run in replay.runs for margin in run.margins]
    for number, (scheduler, margin) in enumerate(runs):
        if (scheduler, margin) in done:
            continue
        setting = replay_setting(conf, machine, scheduler, efficiencies)
        run_s = replay.epochs * setting.system.slots.epoch_s
        left_s = (len(runs) - number) * run_s
        tell(
            f"replays: {number} of {len(runs)}, about {left_s:.0f} s left; now {scheduler}, margin {margin:g}"
        )
        requests = draw(setting, replay.epochs, replay.seed)
        path = model_path(models, machine.model_sha256, replay.format)
        # first, so that compiled code is loaded before time counts
        in_time = predicted_in_time(setting, requests, margin)
        epochs, answered_s = _run(setting, requests, margin, path, machine.threads)
        key = {"scheduler": scheduler, "margin": margin}
        rows = [_epoch_row(place, epoch) for place, epoch in enumerate(epochs, 1)]
        if rows:
            add_rows(folder, "batches", pd.DataFrame(rows).assign(**key)[list(BATCHES)])
        table = pd.DataFrame(
            {
                **key,
                "request": np.arange(requests.arrival_s.size),
                "arrival_s": requests.arrival_s,
                "prompt_tokens": requests.prompt_tokens,
                "output_tokens": requests.output_tokens,
                "latency_s": requests.latency_s,
                "predicted_in_time": in_time.astype(int),
                "answered_s": answered_s,
            }
        )
        add_rows(folder, "requests", table[list(REQUESTS)])


def _epoch_row(number: int, epoch: EpochRun) -> dict[str, Any]:
    return {**epoch._asdict(), "epoch": number, "served": len(epoch.requests)}


def predicted_in_time(setting: Setting, requests: Requests, margin: float) -> NDArray[np.bool_]:
    """Whom the simulation serves in time, shape (requests,)."""
    epochs, served = setting.simulation.epochs, np.zeros(requests.arrival_s.size, dtype=bool)
    if setting.scheduler.is_policy:
        assert setting.serving is not None, "a policy has limits"
        horizon_s = epochs * setting.system.slots.epoch_s
        service, _ = serve(setting.system, requests, horizon_s, setting.scheduler.name, setting.serving)
        return service.in_time
    longest = max(setting.workload.prompt_tokens), max(setting.workload.output_tokens)
    seen = with_margin(setting.system, margin)
    for epoch in simulate(seen, requests, epochs, setting.scheduler.function(), longest):
        served[epoch.requests[list(epoch.schedule.selected)]] = True
    return served


def _run(
    setting: Setting, requests: Requests, margin: float, path: Path, threads: int
) -> tuple[list[EpochRun], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    longest = int((requests.prompt_tokens + requests.output_tokens).max())
    # every run asks the same
    prompts = [rng.integers(1, 1000, size=n).tolist() for n in requests.prompt_tokens]
    outputs, epochs = requests.output_tokens.tolist(), setting.simulation.epochs
    if setting.scheduler.is_policy:
        assert setting.serving is not None, "a policy has limits"
        return [], _continuous(setting, requests, path, threads, longest, prompts)
    scheduler = setting.scheduler.function()
    run = functools.partial(
        run_epochs, system=setting.system, margin=margin, requests=requests, epochs=epochs
    )
    if scheduler(setting.empty_instance()).device_queues is not None:
        with DeviceNode(path, setting.system.edge_node.devices, longest, prompts, outputs) as node:
            return run(node, scheduler=scheduler, clock=WallClock())
    engine = Engine(path, most_at_once(setting, requests), longest, threads)
    try:
        return run(EngineNode(engine, prompts, outputs), scheduler=scheduler, clock=WallClock())
    finally:
        engine.close()


def most_at_once(setting: Setting, requests: Requests) -> int:
    """Sequences that hold any batch that could arrive within the longest wait."""
    waits = setting.workload.longest_wait_s + setting.system.slots.epoch_s
    arrivals = requests.arrival_s
    until = np.searchsorted(arrivals, arrivals + waits)
    return int((until - np.arange(arrivals.size)).max(initial=1))


def _continuous(
    setting: Setting, requests: Requests, path: Path, threads: int, longest: int, prompts: list[list[int]]
) -> NDArray[np.float64]:
    """When each request had its answer from llama.cpp's server, by continuous batching, behind the radio."""
    slots, limits = setting.system.slots, setting.serving
    assert limits is not None, "a policy has limits"
    uplink = through_slots(
        requests.arrival_s,
        requests.arrival_s,
        requests.uplink_share,
        requests.arrival_s,
        slots.uplink_s,
        slots.epoch_s,
    )
    answers = run_server(
        path,
        Room(limits.max_sequences, longest, threads),
        uplink.end_s,
        prompts,
        requests.output_tokens.tolist(),
        setting.simulation.epochs * slots.epoch_s,
    )
    last_s = np.full(requests.arrival_s.size, np.nan)
    for i, answer in answers.items():
        last_s[i] = answer.last_s
    downlink = through_slots(
        last_s, requests.arrival_s, requests.downlink_share, last_s, slots.downlink_s, slots.epoch_s
    )
    return np.where(np.isfinite(last_s) & np.isfinite(downlink.end_s), downlink.end_s, np.nan)
