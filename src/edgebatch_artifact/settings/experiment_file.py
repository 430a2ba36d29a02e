"""The format of conf/experiment/: a sweep, and the figure that is drawn of it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError, one_of
from edgebatch.schema import Checked, choice, integer, read
from edgebatch_artifact.runs.simulate import METRICS
from edgebatch_artifact.settings.experiment import COLUMN
from edgebatch_artifact.storage.yaml_file import read_yaml

TABLES = ("claims", "models", "quantization", "assumptions")
"""Tables of the paper that no experiment owns; their files stand beside those of the experiments."""

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
        Scheduler whose batches the others are compared with, epoch by epoch: then there are the
        columns of `RELATIVE` too, and the figure shows the other schedulers alone.
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
    panel_label
        Title of a panel, with {} for its value.
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
    note: str = ""
    where: dict[str, Any] | None = None

    def named_keys(self) -> Iterator[tuple[str, str]]:
        """Each swept key that the figure names, with its place in the file."""
        if self.x is not None:
            yield "x.key", self.x.key
        for at, key in (("lines", self.lines), ("panels", self.panels)):
            if key is not None and (at, key) != ("panels", COLUMN):
                yield at, key
        for key in self.where or {}:
            yield f"where.{key}", key


class Sample(Checked):
    """A Latin hypercube over conf/assumptions.yaml, swept beside the rest."""

    draws: int = integer(at_least=1)
    seed: int = integer(at_least=0)


@dataclass(frozen=True)
class ExperimentFile:
    """A file of conf/experiment/, read but not expanded."""

    name: str
    where: str
    sweep: dict[str, Any]
    figure: Figure
    figure_data: dict[str, Any]
    draws: int
    draw_seed: int


def read_experiment(conf: Path, name: str) -> ExperimentFile:
    """Read ``conf/experiment/<name>.yaml``; what it overrides is left to Hydra.

    Raises
    ------
    InputError
        Naming the file, the key and what is expected.
    """
    where = f"conf/experiment/{name}.yaml"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise InputError("", f"the name {name!r}", "a name of letters, digits, _ and -", where)
    if name in TABLES:
        raise InputError("", f"the name {name!r}", "a name that no table of the paper has", where)
    data = read_yaml(conf / "experiment" / f"{name}.yaml", where)
    params = data.get("hydra", {})
    for key in ("sweeper", "params"):
        params = params.get(key) if isinstance(params, dict) else None
    if not isinstance(params, dict) or not params:
        raise InputError("hydra.sweeper.params", "an empty sweep", "a mapping from keys to values", where)
    if not _reaches_out(conf / "experiment" / f"{name}.yaml"):
        raise InputError("line 1", "no package", "# @package _global_", where)
    try:
        figure = read(Figure, data.get("figure"), "figure")
        sample = read(Sample, data["sample"], "sample") if "sample" in data else None
        _check_figure(figure)
    except InputError as error:
        raise error.at(where) from None
    return ExperimentFile(
        name,
        where,
        params,
        figure,
        dataclasses.asdict(figure),
        sample.draws if sample else 0,
        sample.seed if sample else 0,
    )


def _reaches_out(path: Path) -> bool:
    """Whether the first line of a file tells Hydra that its keys are those of the root."""
    first = path.read_text(encoding="utf-8").strip().partition("\n")[0]
    return re.fullmatch(r"#+\s*@package\s+_global_\s*", first) is not None


def _check_figure(figure: Figure) -> None:
    if figure.draw == "lines" and figure.x is None:
        raise InputError("figure.x", "nothing", "an axis with key and label, to draw lines over")
    if figure.draw != "claims":
        known = [*METRICS, *(RELATIVE if figure.y.relative_to else ())]
        for column in figure.y.columns:
            if column not in known:
                raise InputError(f"figure.y.columns.{column}", "an unknown column", one_of(column, known))
    try:
        figure.panel_label.format("")
    except (LookupError, ValueError, AttributeError):
        found, expected = repr(figure.panel_label), "a text with {} for the value"
        raise InputError("figure.panel_label", found, expected) from None
    if not figure.y.columns:
        raise InputError("figure.y.columns", "no column", one_of(None, METRICS))
