"""The table of the engine's logs, and its values in the prose: how far simulated latencies are off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from edgebatch_artifact.publish.table import Table, number
from edgebatch_artifact.settings.measured.calibration import ENGINE_LOGS, LATENCIES


class _Row(NamedTuple):
    log: str
    quantity: str
    measured_s: float
    simulated_s: float
    mean: float
    median: float


def engine_log_table(logs: pd.DataFrame) -> Table:
    """Means of each latency, and the errors of mean and median with their signs."""
    rows = tuple(
        (
            row.log,
            LATENCIES[row.quantity],
            number(row.measured_s),
            number(row.simulated_s),
            _percent(row.mean),
            _percent(row.median),
        )
        for row in _rows(logs)
    )
    caption = (
        "Latencies of vLLM, and of continuous batching simulated with efficiencies that were fitted to"
        " operators alone: means in seconds, and the errors of mean and median with their signs, below 0"
        " where the simulation is too fast"
    )
    head = ("Node", "Latency", "Measured", "Simulated", "Mean", "Median")
    return Table(caption, ENGINE_LOGS, head, rows, "llrrrr")


def engine_log_values(logs: pd.DataFrame) -> dict[str, str]:
    """Errors of the means and medians, by log and quantity."""
    values: dict[str, str] = {}
    for row in _rows(logs):
        place = f"{ENGINE_LOGS}/{row.log.lower().replace(' ', '_')}/{row.quantity}"
        values |= {f"{place}/mean": _percent(row.mean), f"{place}/median": _percent(row.median)}
    return values


def _rows(logs: pd.DataFrame) -> Iterator[_Row]:
    for (log, quantity), rows in logs.groupby(["log", "quantity"], sort=False):
        measured, simulated = rows["measured"], rows["simulated"]
        means = measured.mean(), simulated.mean()
        off = means[1] / means[0] - 1, simulated.median() / measured.median() - 1
        yield _Row(str(log), str(quantity), *means, *off)


def _percent(share: float) -> str:
    return f"{100 * share:+.1f} %"
