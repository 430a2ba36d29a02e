"""Tables and values of the measured engine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from edgebatch.calibration.errors import errors_of
from edgebatch_artifact.engine.outcome import ends, gains
from edgebatch_artifact.publish.table import Table, number
from edgebatch_artifact.settings.measured.engine import (
    ENGINE_BATCHES,
    ENGINE_FIT,
    ENGINE_GOODPUT,
    ENGINE_SPEEDUP,
)

STAGES = {"prefill": "first stage", "decode": "later step"}

Tables = Mapping[str, pd.DataFrame]


def engine_tables(tables: Tables) -> list[Table]:
    """The tables of `edgebatch_artifact.settings.measured.engine.ENGINE_TABLES`."""
    return [
        _fit_table(tables[ENGINE_FIT]),
        _speedup_table(tables[ENGINE_SPEEDUP], tables[ENGINE_FIT]),
        _goodput_table(tables[ENGINE_GOODPUT]),
        _batches_table(tables[ENGINE_BATCHES]),
    ]


def _errors(points: pd.DataFrame) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """Format, stage, fitted rows, and errors of both cost models on the rest."""
    for (format, stage), rows in points.groupby(["format", "stage"], sort=True):
        yield str(format), str(stage), int(rows["fitted"].sum()), _held_out(rows)


def _held_out(rows: pd.DataFrame) -> dict[str, Any]:
    rest = rows[~rows["fitted"]]
    return {model: errors_of(rest[model], rest["measured"]) for model in ("ideal", "calibrated")}


def _fit_table(points: pd.DataFrame) -> Table:
    rows = tuple(
        (
            format,
            STAGES[stage],
            str(fitted),
            str(errors["ideal"].rows),
            *(_percent(getattr(errors[model], what)) for model in errors for what in ("median", "p90")),
        )
        for format, stage, fitted, errors in _errors(points)
    )
    caption = (
        "Errors on the engine's points that were not fitted, in per cent: median and 90th percentile, for the"
        " roofline at the machine's peaks and as calibrated"
    )
    head = ("Format", "Time of", "Fitted", "Judged", "Ideal", "p90", "Cal.", "p90")
    return Table(caption, ENGINE_FIT, head, rows, "llrrrrrr")


def _speedup_table(speedups: pd.DataFrame, points: pd.DataFrame) -> Table:
    rows = []
    for format, of in speedups.groupby("format", sort=True):
        decode = of[of["stage"] == "decode"]
        at_ends = [decode[decode["batch"] == batch]["speedup"].median() for batch in ends(decode)]
        cells = [of["bits"].iloc[0], of[of["stage"] == "prefill"]["speedup"].median(), *at_ends]
        cells += [gains(points, str(format)).median(), of["perplexity_ratio"].iloc[0]]
        rows.append((str(format), *map(number, cells)))
    least, most = ends(speedups[speedups["stage"] == "decode"])
    caption = (
        "Formats on the engine: bits of a weight; speed-up over F16 of the first stage, and of later steps at"
        f" batch {least} and {most}; tokens/s at batch {most} over batch {least}; perplexity over F16's, on"
        " what the model says itself"
    )
    head = ("Format", "Bits", "First stage", f"Batch {least}", f"Batch {most}", "Batching", "Perplexity")
    return Table(caption, ENGINE_SPEEDUP, head, tuple(rows), "lrrrrrr")


def _goodput_table(goodput: pd.DataFrame) -> Table:
    rows = []
    for (label, margin), parts in goodput.groupby(["label", "margin"], sort=False):
        cells = (number(parts[column].mean()) for column in ("predicted_per_s", "goodput_per_s"))
        rows.append((str(label), f"{margin:g}", *cells))
    caption = "Goodput of replays in requests per second: as simulated with the calibrated roofline, and real"
    head = ("Scheduler", "Margin", "Predicted", "Real")
    return Table(caption, ENGINE_GOODPUT, head, tuple(rows), "lrrr")


def _batches_table(batches: pd.DataFrame) -> Table:
    rows = []
    for (label, margin), of in batches[batches["served"] > 0].groupby(["label", "margin"], sort=False):
        ratio = of["measured_s"] / of["predicted_s"]
        met = (of["measured_s"] <= of["deadline_s"]).mean()
        solve_s = of["solve_s"].median()
        numbers = (_percent(met), number(ratio.median()), number(ratio.quantile(0.9)), number(1e3 * solve_s))
        rows.append((str(label), f"{margin:g}", str(len(of)), *numbers))
    caption = (
        "Batches of replays: share that meets its deadline, in per cent; real over predicted compute time,"
        " median and 90th percentile; and the scheduler's time"
    )
    head = ("Scheduler", "Margin", "Batches", "Met", "Ratio", "p90", "Solve (ms)")
    return Table(caption, ENGINE_BATCHES, head, tuple(rows), "lrrrrrr")


def engine_values(tables: Tables) -> dict[str, str]:
    """Values of the prose."""
    points, speedups, batches = tables[ENGINE_FIT], tables[ENGINE_SPEEDUP], tables[ENGINE_BATCHES]
    values: dict[str, str] = {}
    everything = _held_out(points)
    for model, errors in everything.items():
        values |= {
            f"fit/{model}/{what}": f"{_percent(getattr(errors, what))} %" for what in ("median", "p90")
        }
    for stage, rows in points.groupby("stage"):
        errors = _held_out(rows)["calibrated"]
        values |= {
            f"fit/{stage}/{what}": f"{_percent(getattr(errors, what))} %" for what in ("median", "p90")
        }
    for (format, stage), of in speedups.groupby(["format", "stage"]):
        values[f"speedup/{format.lower()}/{stage}"] = number(of["speedup"].median())
    for format in points["format"].unique():
        values[f"gain/{format.lower()}"] = number(gains(points, format).median())
    for (scheduler, margin), parts in tables[ENGINE_GOODPUT].groupby(["scheduler", "margin"]):
        place = f"goodput/{scheduler}/{100 * margin:.0f}"
        values[f"{place}/real"] = number(parts["goodput_per_s"].mean())
        values[f"{place}/predicted"] = number(parts["predicted_per_s"].mean())
    solved = batches[batches["scheduler"] == "dftsp"]["solve_s"]
    values["solve/median_ms"] = number(1e3 * solved.median())
    values["solve/most_ms"] = number(1e3 * solved.max())
    return {f"engine/{name}": value for name, value in values.items()}


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if abs(share) < 0.0995 else f"{100 * share:.0f}"
