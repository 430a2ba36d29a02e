"""The file that carries an expanded experiment from the grid to the rules that use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.io.json_text import read_json
from edgebatch.schema import Checked, read

COLUMN = "column"
"""What `panels` names, to draw a panel for each column of the measure."""


@dataclass(frozen=True)
class ExperimentData:
    """An expanded experiment: what is drawn, how values are named, and where the runs are.

    Attributes
    ----------
    points
        For each point its ``id``, its ``run`` (a file) and its ``axes``.
    """

    name: str
    figure: dict[str, Any]
    labels: dict[str, dict[str, dict[str, Any]]]
    points: list[dict[str, Any]]

    def to_json(self) -> str:
        """The file's text; the same experiment gives the same bytes."""
        return json.dumps(self.__dict__, indent=1) + "\n"

    def label(self, axis: str, value: Any) -> str:
        """How people call the value of an axis."""
        if axis == COLUMN:
            return str(self.figure["y"]["columns"][value])
        if axis in self.labels:
            return str(self.labels[axis].get(str(value), {}).get("label", value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    def values(self, axis: str) -> list[Any]:
        """The values of an axis, in the order of the sweep."""
        if axis == COLUMN:
            return list(self.figure["y"]["columns"])
        if axis in self.labels:
            return list(self.labels[axis])
        return list(dict.fromkeys(point["axes"][axis] for point in self.points))


class _Point(Checked):
    id: str
    run: str
    axes: dict[str, Any]


class _File(Checked):
    name: str
    figure: dict[str, Any]
    labels: dict[str, Any]
    points: tuple[_Point, ...]


def read_experiment_data(path: Path) -> ExperimentData:
    """Read the file of one experiment.

    Raises
    ------
    InputError
        If it is not there, damaged, or no experiment.
    """
    try:
        data = read(_File, read_json(path))
    except InputError as error:
        raise error.at(str(path)) from None
    return ExperimentData(data.name, data.figure, data.labels, [asdict(point) for point in data.points])


def namer(experiments: dict[str, ExperimentData]) -> Callable[[str, str, Any], str]:
    """How to name the value of an axis of an experiment, with the axis where that is needed."""

    def name(experiment: str, axis: str, value: Any) -> str:
        data = experiments[experiment]
        label = data.label(axis, value)
        return label if axis in data.labels else f"{axis.rpartition('.')[2].replace('_', ' ')} {label}"

    return name
