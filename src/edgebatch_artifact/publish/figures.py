"""Figures for reading at column width, drawn from the CSV behind each."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgebatch_artifact.settings.experiment import COLUMN, ExperimentData
from edgebatch_artifact.storage.files import replace

COLUMN_IN, PAGE_IN, HEIGHT_IN = 3.5, 7.16, 2.0
"""Widths of a column and of a page of an IEEE paper, and the height of a panel, in inches."""

STYLE: dict[str, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "axes.linewidth": 0.6,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.5,
    "pdf.fonttype": 42,
    "svg.hashsalt": "edgebatch",
}
COLORS = ("#332288", "#44AA99", "#AA4499", "#DDCC77", "#882255", "#88CCEE", "#117733", "#CC6677", "#999933")
"""Tol's muted palette, colour-blind-safe, for what has no colour of its own; schedulers have theirs."""
MARKERS = "osD^vXP<>hp*"


def draw(data: ExperimentData, table: pd.DataFrame, files: list[Path]) -> None:
    """Draw the figure of an experiment into each of `files` (.pdf or .png)."""
    figure = make(data, table)
    for path in files:
        replace(path, lambda temporary: _save(figure, temporary))


def make(data: ExperimentData, table: pd.DataFrame) -> Figure:
    """Make the figure of an experiment from the table of its points."""
    sns.set_theme(style="whitegrid", rc=STYLE)
    return DRAWERS[data.figure["draw"]](data, table)


def _save(figure: Figure, path: Path) -> None:
    dated = {"CreationDate": None, "ModDate": None} if path.suffix == ".pdf" else {"Software": None}
    figure.savefig(path, dpi=300, metadata=dated)


def _drawn(data: ExperimentData, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that the figure shows."""
    for key, value in (data.figure.get("where") or {}).items():
        table = table[table[key] == value]
    return table


def _panels(data: ExperimentData, table: pd.DataFrame) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A figure with one set of axes for each panel, and the rows of each."""
    key = data.figure.get("panels")
    values = [value for value in data.values(key) if (table[key] == value).any()] if key else [None]
    columns = min(len(values), 4)
    rows = -(-len(values) // columns)
    width = COLUMN_IN if columns == 1 else PAGE_IN
    figure = mpl.figure.Figure(figsize=(width, HEIGHT_IN * rows + 0.45), layout="constrained")
    same_measure = key != COLUMN and (data.figure["draw"] != "lines" or columns > 3)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=same_measure)
    found = []
    for axes, value in zip(grid.flat, values, strict=False):
        if key:
            axes.set_title(data.figure.get("panel_label", "{}").format(data.label(key, value)))
        found.append((axes, table if key is None else table[table[key] == value]))
    for axes in grid.flat[len(values) :]:
        axes.set_axis_off()
    return figure, found


def _look(data: ExperimentData, key: str | None, value: Any) -> dict[str, Any]:
    """Colour and marker of a line: those of its file, or the next of a colour-blind-safe palette."""
    own = data.labels.get(key or "", {}).get(str(value), {})
    place = data.values(key).index(value) if key else 0
    return {
        "color": own.get("color", COLORS[place % len(COLORS)]),
        "marker": own.get("marker", MARKERS[place % len(MARKERS)]),
    }


def _lines(data: ExperimentData, table: pd.DataFrame) -> Figure:
    x, y, key = data.figure["x"], data.figure["y"], data.figure.get("lines")
    table = _drawn(data, table)
    figure, panels = _panels(data, table)
    for axes, rows in panels:
        for value, column, label in _series(data, rows):
            line = rows[rows["column"] == column]
            line = line if key is None else line[line[key] == value]
            look = _look(data, key, value)
            middle, half = line["mean"], line["half_width"]
            sns.lineplot(
                x=line[x["key"]], y=middle, ax=axes, label=label, legend=False, markeredgewidth=0, **look
            )
            axes.fill_between(
                line[x["key"]], _low(line, y), middle + half, color=look["color"], alpha=0.2, linewidth=0
            )
        axes.set(xlabel=x["label"], ylabel=_ylabel(axes, y))
        if x.get("scale") == "log":
            ticks = sorted(set(rows[x["key"]]))
            axes.set_xscale("log")
            axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
        if y.get("scale") == "log":
            axes.set_yscale("log")
        else:
            # below 0 by a little, so that a line at 0 is seen whole
            axes.set_ylim(bottom=-0.03 * axes.get_ylim()[1])
    _legend(figure, panels)
    return figure


def _low(points: pd.DataFrame, y: dict[str, Any]) -> pd.Series:
    """Lower ends of intervals; a logarithmic axis has no room for one that reaches 0."""
    low = points["mean"] - points["half_width"]
    return low.clip(lower=points["mean"] / 10) if y.get("scale") == "log" else low


def _series(data: ExperimentData, rows: pd.DataFrame) -> list[tuple[Any, str, str]]:
    """The lines of a panel: value of the line's key, column, and name."""
    key = data.figure.get("lines")
    values = [v for v in data.values(key) if (rows[key] == v).any()] if key else [None]
    columns = [c for c in data.values(COLUMN) if (rows["column"] == c).any()]
    return [(v, c, data.label(key, v) if key else data.label(COLUMN, c)) for v in values for c in columns]


def _ylabel(axes: Axes, y: dict[str, Any]) -> str:
    return str(y["label"]) if axes.get_subplotspec().is_first_col() else ""


def _legend(figure: Figure, panels: list[tuple[Axes, pd.DataFrame]]) -> None:
    handles, labels = panels[0][0].get_legend_handles_labels()
    if len(labels) > 1:
        columns = min(len(labels), 6 if len(panels) > 1 else 3)
        figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)


def _bars(data: ExperimentData, table: pd.DataFrame) -> Figure:
    """Bars side by side: one a column of the results; or one a line, for each x."""
    y, x, key = data.figure["y"], data.figure.get("x"), data.figure.get("lines")
    table = _drawn(data, table)
    figure, panels = _panels(data, table)
    values = [v for v in data.values(x["key"]) if (table[x["key"]] == v).any()] if x else [None]
    for axes, rows in panels:
        series = _series(data, rows)
        width = 0.8 / (len(series) if x else 1)
        for i, (value, column, label) in enumerate(series):
            bars = rows[rows["column"] == column]
            bars = bars if key is None else bars[bars[key] == value]
            bars = bars.set_index(x["key"]).loc[values] if x else bars
            places = [j + (i - (len(series) - 1) / 2) * width for j in range(len(values))] if x else [i]
            color = _look(data, key, value)["color"] if key else COLORS[i]
            axes.bar(places, bars["mean"], width, label=label if x else None, color=color)
            errors = [bars["mean"] - _low(bars, y), bars["half_width"]]
            axes.errorbar(places, bars["mean"], errors, fmt="none", color="black", lw=0.8, capsize=2)
        names = [data.label(x["key"], v) for v in values] if x else [name for _, _, name in series]
        slope = 20 if len(names) <= 6 else 45
        axes.set_xticks(range(len(names)), labels=names, rotation=slope, ha="right", rotation_mode="anchor")
        axes.set(xlabel=x["label"] if x else "", ylabel=_ylabel(axes, y))
        axes.set_yscale(y.get("scale", "linear"))
        axes.grid(False, axis="x")
    _legend(figure, panels)
    return figure


def _claims(data: ExperimentData, table: pd.DataFrame) -> Figure:
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, 0.36 * len(table) + 0.5), layout="constrained")
    axes = figure.subplots()
    names = [textwrap.fill(claim, 28) for claim in table["claim"]]
    sns.barplot(x=table["share"], y=names, color=COLORS[1], ax=axes, width=0.6)
    errors = [table["share"] - table["low"], table["high"] - table["share"]]
    axes.errorbar(table["share"], names, xerr=errors, fmt="none", color="black", lw=0.8, capsize=2)
    axes.set(xlabel=data.figure["y"]["label"], ylabel="", xlim=(0, 1.02))
    return figure


DRAWERS: dict[str, Callable[[ExperimentData, pd.DataFrame], Figure]] = {
    "lines": _lines,
    "bars": _bars,
    "claims": _claims,
}
