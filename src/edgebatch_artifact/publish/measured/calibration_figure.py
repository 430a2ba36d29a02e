"""The figure of the calibration: predicted against measured, one panel a source."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from edgebatch_artifact.calibration.calibrate import Calibration
from edgebatch_artifact.publish.figures import HEIGHT_IN, PAGE_IN, own_style
from edgebatch_artifact.publish.measured.calibration_tables import source_labels
from edgebatch_artifact.publish.measured.engine_figures import engine_figures
from edgebatch_artifact.publish.measured.engine_log_figure import engine_log_figure
from edgebatch_artifact.publish.measured.technique_figure import technique_figures
from edgebatch_artifact.settings.measured.calibration import CALIBRATION, ENGINE_LOGS, FITTED

LOOKS = {"ideal": ("Ideal roofline", "#CC6677"), "calibrated": ("Calibrated roofline", "#332288")}
"""Name and colour of each cost model, of Tol's muted palette, which is safe for the colour-blind."""

SHAPES = {
    "prompt_s": ("First stage (s)", "o"),
    "token_s": ("Later step (s)", "s"),
    "tokens_per_s": ("Rate (tokens/s)", "^"),
}
"""Name and marker of each quantity."""

BAND = 0.1
"""Relative error up to which a prediction lies in the band about the diagonal."""


def calibration_figure(calibration: Calibration) -> Figure:
    """Draw the rows that each fit has of its own models and node."""
    predictions, labels = calibration.predictions, source_labels(calibration)
    own = predictions[~predictions["judged"].isin(["model", "device"])]
    with own_style():
        figure = mpl.figure.Figure(figsize=(PAGE_IN, HEIGHT_IN + 0.7), layout="constrained")
        panels = figure.subplots(1, len(labels), squeeze=False)[0]
        for axes, (source, label) in zip(panels, labels.items(), strict=True):
            rows = own[own["source"] == source]
            _panel(axes, rows)
            names = [SHAPES[quantity][0] for quantity in SHAPES if (rows["quantity"] == quantity).any()]
            axes.set(title=label, xlabel=f"Measured {' and '.join(names).lower()}")
        panels[0].set_ylabel("Predicted")
        figure.legend(handles=_legend(), loc="outside upper center", ncols=4, frameon=False)
        return figure


def calibration_figures(calibration: Calibration) -> dict[str, Figure]:
    """The figures of `CALIBRATION_FIGURES`, by name."""
    own = {CALIBRATION: calibration_figure(calibration), ENGINE_LOGS: engine_log_figure(calibration.logs)}
    return own | engine_figures(calibration.engine) | technique_figures(calibration.techniques)


def _panel(axes: Axes, rows: pd.DataFrame) -> None:
    values = rows[["measured", *LOOKS]].to_numpy()
    ends = np.array([values.min() / 1.3, values.max() * 1.3])
    axes.fill_between(ends, ends * (1 - BAND), ends * (1 + BAND), color="0.85", linewidth=0, zorder=0)
    axes.plot(ends, ends, color="0.4", linewidth=0.6, zorder=1)
    for model, (_, color) in LOOKS.items():
        for quantity, (_, marker) in SHAPES.items():
            of_quantity = rows[rows["quantity"] == quantity]
            for hollow in (False, True):
                shown = of_quantity[(of_quantity["judged"] == FITTED) == hollow]
                axes.plot(shown["measured"], shown[model], **_dot(color, marker, hollow))
    axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends)


def _dot(color: str, marker: str, hollow: bool) -> dict[str, Any]:
    face = "none" if hollow else color
    look = {"markeredgecolor": color, "markerfacecolor": face, "markeredgewidth": 0.5, "markersize": 2.6}
    return {"linestyle": "none", "marker": marker, **look}


def _legend() -> list[Line2D]:
    looks = [(name, _dot(color, "D", hollow=False)) for name, color in LOOKS.values()]
    looks += [("Fitted", _dot("0.3", "D", hollow=True)), ("Held out", _dot("0.3", "D", hollow=False))]
    looks += [(name, _dot("0.3", marker, hollow=False)) for name, marker in SHAPES.values()]
    return [Line2D([], [], label=name, **look) for name, look in looks]
