"""Figures of the measured engine: predicted against measured, speed-up by bits, and goodput by margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from edgebatch_artifact.publish.figures import COLORS, COLUMN_IN, HEIGHT_IN, own_style
from edgebatch_artifact.settings.measured.engine import ENGINE_FIT, ENGINE_GOODPUT, ENGINE_SPEEDUP

COST_MODELS = {"ideal": ("Ideal roofline", "#CC6677"), "calibrated": ("Calibrated roofline", "#332288")}
STAGES = {"prefill": ("First stage", "o"), "decode": ("Later step", "s")}
BAND = 0.1
"""Relative error up to which a prediction lies in the band about the diagonal."""


def engine_figures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """The figures by name, from the tables of `edgebatch_artifact.engine.outcome.engine_tables`."""
    with own_style():
        return {
            ENGINE_FIT: _fit_figure(tables[ENGINE_FIT]),
            ENGINE_SPEEDUP: _speedup_figure(tables[ENGINE_SPEEDUP]),
            ENGINE_GOODPUT: _goodput_figure(tables[ENGINE_GOODPUT]),
        }


def _new(columns: int) -> tuple[Figure, Any]:
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, HEIGHT_IN + 0.55), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _fit_figure(points: pd.DataFrame) -> Figure:
    """Predicted over measured times; what was fitted is hollow, what was held out is filled."""
    figure, panels = _new(2)
    for axes, (stage, (title, marker)) in zip(panels, STAGES.items(), strict=True):
        rows = points[points["stage"] == stage]
        ends = np.array([rows["measured"].min() / 1.4, rows["measured"].max() * 1.4])
        axes.fill_between(ends, 1 - BAND, 1 + BAND, color="0.85", linewidth=0, zorder=0)
        axes.axhline(1, color="0.4", linewidth=0.6, zorder=1)
        for model, (_, color) in COST_MODELS.items():
            for fitted in (True, False):
                shown = rows[rows["fitted"] == fitted]
                ratio = shown[model] / shown["measured"]
                axes.plot(shown["measured"], ratio, **_dot(color, marker, hollow=fitted))
        axes.set(title=title, xlabel="Measured (s)", xscale="log", yscale="log", xlim=ends)
        axes.set_yticks([0.1, 0.2, 0.5, 1, 2], labels=["0.1", "0.2", "0.5", "1", "2"])
        axes.minorticks_off()
    panels[0].set_ylabel("Predicted over measured")
    handles = [
        Line2D([], [], label=name, **_dot(color, "D", hollow=False)) for name, color in COST_MODELS.values()
    ]
    handles += [
        Line2D([], [], label=name, **_dot("0.3", "D", hollow=name == "Fitted"))
        for name in ("Fitted", "Held out")
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _dot(color: str, marker: str, hollow: bool) -> dict[str, Any]:
    face = "none" if hollow else color
    look = {"markeredgecolor": color, "markerfacecolor": face, "markeredgewidth": 0.5, "markersize": 2.8}
    return {"linestyle": "none", "marker": marker, **look}


def _speedup_figure(speedups: pd.DataFrame) -> Figure:
    """Speed-up over 16 bits by bits of a weight: the median over points, and their range."""
    figure, (axes,) = _new(1)
    for color, shift, (stage, (name, marker)) in zip(COLORS, (-0.12, 0.12), STAGES.items(), strict=False):
        grouped = speedups[speedups["stage"] == stage].groupby("bits")["speedup"]
        middle, least, most = grouped.median(), grouped.min(), grouped.max()
        errors = [middle - least, most - middle]
        axes.errorbar(
            middle.index + shift, middle, errors, fmt=marker, color=color, label=name, capsize=2, lw=0.9, ms=4
        )
    for bits, group in speedups.groupby("bits"):
        axes.text(float(bits), 0.03, group["format"].iloc[0], ha="center", size=6, rotation=90)
    assumed = speedups.groupby("bits")["assumed"].first()
    axes.plot(assumed.index, assumed, "--", color="0.4", label="Assumed")
    axes.axhline(1, color="0.4", linewidth=0.6, zorder=1)
    axes.set(xlabel="Bits of a weight", ylabel="Speed-up over F16", xlim=(3.5, 17), ylim=(0, None))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def _goodput_figure(goodput: pd.DataFrame) -> Figure:
    """Predicted (dashed, hollow) and real (filled) goodput over the margin, means over the parts of a run."""
    figure, (axes,) = _new(1)
    for _, runs in goodput.groupby("scheduler", sort=False):
        rows = runs.groupby("margin")[["predicted_per_s", "goodput_per_s"]].mean()
        look = runs.iloc[0]
        _line(axes, rows["goodput_per_s"], look, {"linestyle": "-", "label": look["label"]})
        _line(axes, rows["predicted_per_s"], look, {"linestyle": "--", "markerfacecolor": "none"})
    handles, labels = axes.get_legend_handles_labels()
    handles += [Line2D([], [], color="0.3", linestyle="-"), Line2D([], [], color="0.3", linestyle="--")]
    labels += ["Real", "Predicted"]
    axes.set(xlabel="Margin on the compute time", ylabel="Goodput (requests/s)", ylim=(0, None))
    figure.legend(handles, labels, loc="outside upper center", ncols=3, frameon=False)
    return figure


def _line(axes: Axes, values: pd.Series, look: pd.Series, style: Mapping[str, Any]) -> None:
    axes.plot(values.index, values, color=look["color"], marker=look["marker"], markersize=4, **style)
