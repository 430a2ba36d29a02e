"""The table of an experiment: a row for each x of each panel, a column for each line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from edgebatch_artifact.publish.table import Table, number
from edgebatch_artifact.settings.experiments.experiment import Experiment
from edgebatch_artifact.settings.experiments.figure import COLUMN, Figure


def experiment_table(experiment: Experiment, numbers: pd.DataFrame) -> Table:
    """The table of an experiment from the numbers of its figure."""
    figure = experiment.figure
    if figure.draw == "claims":
        return _claims_table(experiment, numbers)
    shown = drawn_rows(figure, numbers)
    x = figure.x.key if figure.x else None
    downwards = [key for key in (figure.panels, x) if key and key != figure.lines]
    series = _series(experiment, shown, downwards)
    rows = []
    for values, group in shown.groupby(downwards, sort=False):
        cells = []
        for value, column, _ in series:
            match = group if column is None else group[group["column"] == column]
            match = match if figure.lines is None else match[match[figure.lines] == value]
            cells.append(_cell(match, interval=figure.y.scale != "log"))
        keys = zip(downwards, values, strict=True)
        named = (experiment.label(key, value) for key, value in keys)
        rows.append((_order(experiment, downwards, values), (*named, *cells)))
    head = (*(_heading(figure, key) for key in downwards), *(name for _, _, name in series))
    body = tuple(cells for _, cells in sorted(rows, key=lambda row: row[0]))
    shows = "mean" if figure.y.scale == "log" else "mean ± half width of the interval"
    caption = f"{figure.title}: {figure.y.label.lower()}, {shows}. {figure.note}".strip()
    columns = "l" * len(downwards) + "r" * len(series)
    return Table(caption, experiment.name, head, body, columns, len(series) > 3)


def drawn_rows(figure: Figure, numbers: pd.DataFrame) -> pd.DataFrame:
    """The rows that the figure shows."""
    for key, value in (figure.where or {}).items():
        numbers = numbers[numbers[key] == value]
    return numbers


def _claims_table(experiment: Experiment, numbers: pd.DataFrame) -> Table:
    rows = tuple(
        (row.claim, f"{row.share:.3f}", f"[{row.low:.3f}, {row.high:.3f}]", str(row.draws))
        for row in numbers.itertuples()
    )
    head = ("Claim", "Share", "Interval", "Draws")
    return Table(experiment.figure.title, experiment.name, head, rows, "lrcr")


def _series(
    experiment: Experiment, shown: pd.DataFrame, downwards: Sequence[str]
) -> list[tuple[Any, str | None, str]]:
    """The columns of numbers: value of the line's key, column of the measure, and heading."""
    lines = experiment.figure.lines
    across = [None] if COLUMN in downwards else experiment.values(COLUMN)
    return [
        (value, column, experiment.line_name(value) if lines else experiment.label(COLUMN, column))
        for value in (experiment.values(lines) if lines else [None])
        for column in across
        if lines is None or (shown[lines] == value).any()
    ]


def _order(experiment: Experiment, keys: Sequence[str], values: Sequence[Any]) -> list[int]:
    return [experiment.values(key).index(value) for key, value in zip(keys, values, strict=True)]


def _heading(figure: Figure, key: str) -> str:
    if figure.x and figure.x.key == key:
        return figure.x.label
    if key == COLUMN:
        return figure.y.label
    return key.rpartition(".")[2].replace("_", " ").capitalize()


def _cell(match: pd.DataFrame, interval: bool) -> str:
    """A mean; a lower bound where searches were cut off, since they visit at least so many nodes."""
    if match.empty:
        return "–"
    mean, half_width = float(match["mean"].iloc[0]), float(match["half_width"].iloc[0])
    bound = "≥ " if match["column"].iloc[0] == "nodes" and float(match["cut_off"].iloc[0]) > 0 else ""
    return f"{bound}{number(mean)}" + (f" ± {half_width:.2g}" if interval else "")
