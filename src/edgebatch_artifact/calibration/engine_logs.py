"""Logs of a real engine against continuous batching as `edgebatch.serving` simulates it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from edgebatch.errors import InputError
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.model.trace import Trace
from edgebatch.schema import Checked
from edgebatch.serving.limits import Limits
from edgebatch.serving.replay import replay
from edgebatch_artifact.settings.configuration import EdgeNodeConfig, ModelConfig
from edgebatch_artifact.settings.measured.calibration import LATENCIES


class EngineLog(Checked):
    """conf/engine_log/: a log, what it was measured on, and the limits of the engine.

    Attributes
    ----------
    log
        File of measurements/: for each request its lengths, and when it was queued and got its first and its
        last token.
    model, edge_node
        Files of conf/; the node has efficiencies, to which nothing of the log was fitted.
    """

    label: str
    log: str
    model: str
    edge_node: str
    serving: Limits


def calibrated_system(model: ModelConfig, node: EdgeNodeConfig) -> System:
    """A model at 16 bits on a node with what was measured of it."""
    if node.efficiencies is None:
        raise InputError("edge_node", "a node without efficiencies", "one that was calibrated")
    return System(
        Slots(1, 1, 1),  # no radio: they play no part
        model,
        Quantization(16, 16, 1.0, 1.0),
        EdgeNode(node.devices * node.device_flops, node.memory_bytes, node.devices),
        cost=Roofline(node.devices * node.device_bandwidth_bytes_per_s, **vars(node.efficiencies)),
    )


def replay_logs(logs: Iterable[tuple[EngineLog, pd.DataFrame, System]]) -> pd.DataFrame:
    """Replay logs, each with its table and its node.

    Returns
    -------
    pandas.DataFrame
        A row for each log, quantity of `LATENCIES` and request, with ``measured`` and ``simulated``.
    """
    columns = ["log", "quantity", "request", "measured", "simulated"]
    parts = [_replayed(table, system, log.serving).assign(log=log.label) for log, table, system in logs]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _replayed(log: pd.DataFrame, system: System, limits: Limits) -> pd.DataFrame:
    log = log.sort_values("queued_s", kind="stable")
    queued, first, last = (
        log[name].to_numpy(float) for name in ("queued_s", "first_token_s", "last_token_s")
    )
    prompts, outputs = (log[name].to_numpy(np.int64) for name in ("prompt_tokens", "output_tokens"))
    found = replay(system, Trace(queued, prompts, outputs), "fcfs", limits).service
    measured = {
        "ttft_s": first - queued,
        "tpot_s": (last - first) / np.where(outputs > 1, outputs - 1, np.nan),
        "latency_s": last - queued,
    }
    parts = [
        pd.DataFrame(
            {
                "quantity": quantity,
                "request": np.arange(len(log)),
                "measured": measured[quantity],
                "simulated": getattr(found, quantity),
            }
        )
        for quantity in LATENCIES
    ]
    return pd.concat(parts, ignore_index=True).dropna()
