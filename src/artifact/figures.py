"""Figures for reading at column width, drawn from the CSV behind each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from artifact.experiment_data import ExperimentData
from artifact.files import replace

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
COLORS = sns.color_palette("colorblind").as_hex()
MARKERS = "osD^vXP<>hp*"


def draw(data: ExperimentData, table: pd.DataFrame, files: list[Path]) -> None:
    """Draw the figure of an experiment into each of `files` (.pdf or .png)."""
    sns.set_theme(style="whitegrid", rc=STYLE)
    figure = DRAWERS[data.figure["draw"]](data, table)
    for path in files:
        replace(path, lambda temporary: _save(figure, temporary))


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
    grid = figure.subplots(rows, columns, squeeze=False, sharey=data.figure["draw"] != "lines" or columns > 3)
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
    values = [v for v in data.values(key) if (table[key] == v).any()] if key else [None]
    for axes, rows in panels:
        for value in values:
            line = rows if key is None else rows[rows[key] == value]
            for column, name in y["columns"].items():
                of_column = line[line["column"] == column]
                place = [
                    data.label(x["key"], v) if x["key"] in data.labels else v for v in of_column[x["key"]]
                ]
                look = _look(data, key, value)
                label = data.label(key, value) if key else name
                sns.lineplot(x=place, y=of_column["mean"], ax=axes, label=label, legend=False, **look)
                low, high = (
                    of_column["mean"] - of_column["half_width"],
                    of_column["mean"] + of_column["half_width"],
                )
                if y.get("scale") == "log":
                    low = low.clip(lower=of_column["mean"] / 10)
                axes.fill_between(place, low, high, color=look["color"], alpha=0.2, linewidth=0)
        axes.set(xlabel=x["label"], ylabel=y["label"] if axes.get_subplotspec().is_first_col() else "")
        axes.set_xscale(x.get("scale", "linear"))
        axes.set_yscale(y.get("scale", "linear"))
        if x.get("scale") == "log":
            axes.set_xticks(
                sorted(set(rows[x["key"]])), labels=[f"{v:g}" for v in sorted(set(rows[x["key"]]))]
            )
            axes.minorticks_off()
        if y.get("scale") != "log":
            axes.set_ylim(bottom=0)
    if len(values) * len(y["columns"]) > 1:
        handles, labels = panels[0][0].get_legend_handles_labels()
        columns = min(len(labels), 6 if len(panels) > 1 else 3)
        figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)
    return figure


def _bars(data: ExperimentData, table: pd.DataFrame) -> Figure:
    y = data.figure["y"]
    figure, panels = _panels(data, _drawn(data, table))
    names = list(y["columns"].values())
    for axes, rows in panels:
        ordered = rows.set_index("column").loc[list(y["columns"])]
        sns.barplot(x=names, y=ordered["mean"].to_numpy(), hue=names, palette=COLORS[: len(names)], ax=axes)
        axes.errorbar(
            names, ordered["mean"], ordered["half_width"], fmt="none", color="black", lw=0.8, capsize=2
        )
        axes.set(
            xlabel="", ylabel=y["label"] if axes.get_subplotspec().is_first_col() else "", ylim=(0, 1.05)
        )
        axes.tick_params(axis="x", rotation=30)
    return figure


def _claims(data: ExperimentData, table: pd.DataFrame) -> Figure:
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, 0.34 * len(table) + 0.6), layout="constrained")
    axes = figure.subplots()
    sns.barplot(x=table["share"], y=table["claim"], color=COLORS[0], ax=axes, width=0.6)
    errors = [table["share"] - table["low"], table["high"] - table["share"]]
    axes.errorbar(table["share"], table["claim"], xerr=errors, fmt="none", color="black", lw=0.8, capsize=2)
    axes.set(xlabel=data.figure["y"]["label"], ylabel="", xlim=(0, 1.02))
    return figure


DRAWERS: dict[str, Callable[[ExperimentData, pd.DataFrame], Figure]] = {
    "lines": _lines,
    "bars": _bars,
    "claims": _claims,
}
