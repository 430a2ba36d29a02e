"""What is drawn of an experiment, as its file says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgebatch.errors import InputError, one_of
from edgebatch.metrics import METRICS
from edgebatch.schema import Checked, choice

COLUMN = "column"
"""What `panels` names, to draw a panel for each column of the measure."""

RELATIVE = ("gap", "exact")
"""Columns of a measure that is relative to a scheduler: see `edgebatch_artifact.analysis.gap`."""


class Axis(Checked):
    """One axis of a figure: a swept key, its name with unit, and its scale."""

    key: str
    label: str
    scale: str = choice("linear", "log", default="linear")


class Measure(Checked):
    """What a figure shows, upwards: a column of the results, or several as bars or panels.

    Attributes
    ----------
    relative_to
        Scheduler whose batches the others are compared with, epoch by epoch: this adds the columns of
        `RELATIVE`, and the figure shows the other schedulers alone.
    """

    columns: dict[str, str]
    label: str
    scale: str = choice("linear", "log", default="linear")
    relative_to: str | None = None


class Figure(Checked):
    """What is drawn of an experiment.

    Attributes
    ----------
    draw
        ``lines`` over x; ``bars``, one a column; ``claims``: shares of draws in which claims hold.
    lines, panels
        Swept keys that become lines and panels; panels of `COLUMN` are one for each column of y.
    panel_label, line_label
        Title of a panel, and name of a line, with {} for its value.
    note
        What the reader of the table has to know beside its caption.
    where
        Values of swept keys that are drawn; results of the others serve tables and claims alone.
    """

    title: str
    caption: str
    draw: str = choice("lines", "bars", "claims")
    y: Measure
    x: Axis | None = None
    lines: str | None = None
    panels: str | None = None
    panel_label: str = "{}"
    line_label: str = "{}"
    note: str = ""
    where: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.draw == "lines" and self.x is None:
            raise InputError("x", "nothing", "an axis with key and label, to draw lines over")
        if self.draw != "claims":
            known = [*METRICS, *(RELATIVE if self.y.relative_to else ())]
            for column in self.y.columns:
                if column not in known:
                    raise InputError(f"y.columns.{column}", "an unknown column", one_of(column, known))
        if not self.y.columns:
            raise InputError("y.columns", "no column", one_of(None, METRICS))
        for name in ("panel_label", "line_label"):
            label = getattr(self, name)
            try:
                label.format("")
            except (LookupError, ValueError, AttributeError):
                raise InputError(name, repr(label), "a text with {} for the value") from None

    def named_keys(self) -> Iterator[tuple[str, str]]:
        """Each swept key that the figure names, with its place in the file."""
        if self.x is not None:
            yield "x.key", self.x.key
        for at, key in (("lines", self.lines), ("panels", self.panels)):
            if key is not None and (at, key) != ("panels", COLUMN):
                yield at, key
        for key in self.where or {}:
            yield f"where.{key}", key
