"""Figures for reading at column width, drawn from the CSV behind each."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edgebatch_artifact.publish.experiment_table import drawn_rows
from edgebatch_artifact.settings.experiments.experiment import Experiment
from edgebatch_artifact.settings.experiments.figure import COLUMN, Measure

COLUMN_IN, PAGE_IN, HEIGHT_IN = 3.5, 7.16, 1.7
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
LETTERS_PER_IN = 21
"""How many letters of a legend an inch holds, about."""
COLORS = ("#332288", "#44AA99", "#AA4499", "#DDCC77", "#882255", "#88CCEE", "#117733", "#CC6677", "#999933")
"""Tol's muted palette, colour-blind-safe, for what has no colour of its own; schedulers have theirs."""
MARKERS = "osD^vXP<>hp*"


@contextmanager
def own_style() -> Iterator[None]:
    """Draw in the style of the paper, whatever matplotlibrc the user has."""
    with mpl.rc_context():
        mpl.rcdefaults()
        sns.set_theme(style="whitegrid", rc=STYLE)
        yield


def make_figure(experiment: Experiment, numbers: pd.DataFrame) -> Figure:
    """Make the figure of an experiment from the table of its numbers."""
    with own_style():
        return DRAWERS[experiment.figure.draw](experiment, numbers)


def save_figure(figure: Figure, path: Path) -> None:
    """Save a figure as .pdf or .png, with nothing in it that changes from call to call."""
    dated = {"CreationDate": None, "ModDate": None} if path.suffix == ".pdf" else {"Software": None}
    with own_style():
        figure.savefig(path, dpi=300, metadata=dated)


def _panels(experiment: Experiment, table: pd.DataFrame) -> tuple[Figure, list[tuple[Axes, pd.DataFrame]]]:
    """A figure with one set of axes for each panel, and the rows of each."""
    key = experiment.figure.panels
    values = [value for value in experiment.values(key) if (table[key] == value).any()] if key else [None]
    columns = min(len(values), 4)
    rows = -(-len(values) // columns)
    width = COLUMN_IN if columns <= 2 else PAGE_IN
    figure = mpl.figure.Figure(figsize=(width, HEIGHT_IN * rows + 0.45), layout="constrained")
    same_measure = key != COLUMN and (experiment.figure.draw != "lines" or columns > 3)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=same_measure)
    panels = []
    for axes, value in zip(grid.flat, values, strict=False):
        if key:
            axes.set_title(experiment.figure.panel_label.format(experiment.label(key, value)))
        panels.append((axes, table if key is None else table[table[key] == value]))
    for axes in grid.flat[len(values) :]:
        axes.set_axis_off()
    return figure, panels


def _look(experiment: Experiment, key: str | None, value: Any) -> dict[str, Any]:
    """Colour and marker of a line: those of its file, or the next of a colour-blind-safe palette."""
    own = experiment.labels.get(key or "", {}).get(str(value), {})
    place = experiment.values(key).index(value) if key else 0
    return {
        "color": own.get("color", COLORS[place % len(COLORS)]),
        "marker": own.get("marker", MARKERS[place % len(MARKERS)]),
    }


def _lines(experiment: Experiment, table: pd.DataFrame) -> Figure:
    x, y, key = experiment.figure.x, experiment.figure.y, experiment.figure.lines
    assert x is not None, "a figure of lines has an x axis"
    table = drawn_rows(experiment.figure, table)
    figure, panels = _panels(experiment, table)
    for axes, rows in panels:
        for value, column, label in _series(experiment, rows):
            line = rows[rows["column"] == column]
            line = line if key is None else line[line[key] == value]
            look = _look(experiment, key, value)
            middle, half = line["mean"], line["half_width"]
            sns.lineplot(
                x=line[x.key], y=middle, ax=axes, label=label, legend=False, markeredgewidth=0, **look
            )
            axes.fill_between(
                line[x.key], _low(line, y), middle + half, color=look["color"], alpha=0.2, linewidth=0
            )
        axes.set(xlabel=x.label, ylabel=_ylabel(axes, y))
        if x.scale == "log":
            ticks = sorted(set(rows[x.key]))
            axes.set_xscale("log")
            axes.set_xticks(ticks, labels=[f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
        if y.scale == "log":
            axes.set_yscale("log")
        else:
            # below 0 by a little, so that a line at 0 is seen whole
            axes.set_ylim(bottom=-0.03 * axes.get_ylim()[1])
    _legend(figure, panels)
    return figure


def _low(numbers: pd.DataFrame, y: Measure) -> pd.Series:
    """Lower ends of intervals; a logarithmic axis has no room for one that reaches 0."""
    low = numbers["mean"] - numbers["half_width"]
    return low.clip(lower=numbers["mean"] / 10) if y.scale == "log" else low


def _series(experiment: Experiment, rows: pd.DataFrame) -> list[tuple[Any, str, str]]:
    """The lines of a panel: value of the line's key, column, and name."""
    key = experiment.figure.lines
    values = [v for v in experiment.values(key) if (rows[key] == v).any()] if key else [None]
    columns = [c for c in experiment.values(COLUMN) if (rows["column"] == c).any()]
    return [
        (v, c, experiment.line_name(v) if key else experiment.label(COLUMN, c))
        for v in values
        for c in columns
    ]


def _ylabel(axes: Axes, y: Measure) -> str:
    place = axes.get_subplotspec()
    return y.label if place is None or place.is_first_col() else ""


def _legend(figure: Figure, panels: list[tuple[Axes, pd.DataFrame]]) -> None:
    handles, labels = panels[0][0].get_legend_handles_labels()
    if len(labels) > 1:
        # a marker and its gaps take the room of nine letters
        room = figure.get_figwidth() * LETTERS_PER_IN
        columns = max(1, min(len(labels), int(room / (max(map(len, labels)) + 9))))
        figure.legend(handles, labels, loc="outside upper center", ncols=columns, frameon=False)


def _bars(experiment: Experiment, table: pd.DataFrame) -> Figure:
    """Bars side by side: one a column of the results; or one a line, for each x."""
    y, x, key = experiment.figure.y, experiment.figure.x, experiment.figure.lines
    table = drawn_rows(experiment.figure, table)
    figure, panels = _panels(experiment, table)
    values = [v for v in experiment.values(x.key) if (table[x.key] == v).any()] if x else [None]
    for axes, rows in panels:
        series = _series(experiment, rows)
        width = 0.8 / (len(series) if x else 1)
        for i, (value, column, label) in enumerate(series):
            bars = rows[rows["column"] == column]
            bars = bars if key is None else bars[bars[key] == value]
            bars = bars.set_index(x.key).loc[values] if x else bars
            places = [j + (i - (len(series) - 1) / 2) * width for j in range(len(values))] if x else [i]
            color = _look(experiment, key, value)["color"] if key else COLORS[i]
            axes.bar(places, bars["mean"], width, label=label if x else None, color=color)
            errors = [bars["mean"] - _low(bars, y), bars["half_width"]]
            axes.errorbar(places, bars["mean"], errors, fmt="none", color="black", lw=0.8, capsize=2)
        names = [experiment.label(x.key, v) for v in values] if x else [name for _, _, name in series]
        slope = 20 if len(names) <= 6 else 45
        axes.set_xticks(range(len(names)), labels=names, rotation=slope, ha="right", rotation_mode="anchor")
        axes.set(xlabel=x.label if x else "", ylabel=_ylabel(axes, y))
        axes.set_yscale(y.scale)
        axes.grid(False, axis="x")
    _legend(figure, panels)
    return figure


def _claims(experiment: Experiment, table: pd.DataFrame) -> Figure:
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, 0.36 * len(table) + 0.5), layout="constrained")
    axes = figure.subplots()
    names = [textwrap.fill(claim, 28) for claim in table["claim"]]
    sns.barplot(x=table["share"], y=names, color=COLORS[1], ax=axes, width=0.6)
    errors = [table["share"] - table["low"], table["high"] - table["share"]]
    axes.errorbar(table["share"], names, xerr=errors, fmt="none", color="black", lw=0.8, capsize=2)
    axes.set(xlabel=experiment.figure.y.label, ylabel="", xlim=(0, 1.02))
    return figure


DRAWERS: dict[str, Callable[[Experiment, pd.DataFrame], Figure]] = {
    "lines": _lines,
    "bars": _bars,
    "claims": _claims,
}
