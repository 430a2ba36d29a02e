"""An expanded experiment: what is drawn, how values are named, and the settings of its points."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from edgebatch.schema import Checked
from edgebatch.setting import identity
from edgebatch_artifact.settings.assumptions import ValuedAssumption
from edgebatch_artifact.settings.experiments.figure import COLUMN, Figure


class Point(Checked):
    """One setting of an experiment.

    Attributes
    ----------
    id
        Name of the setting by its content.
    scheduler
        Module of the scheduler; its code decides whether a result is current.
    axes
        Value of each swept key; for a group the name of the chosen file.
    """

    id: str
    scheduler: str
    axes: dict[str, Any]


class Experiment(Checked):
    """A file of conf/experiment/, expanded at one scale.

    Attributes
    ----------
    labels
        How to name the values of each swept group: label, and for schedulers colour and marker.
    settings
        Content of the setting of each point, by id.
    size
        Points of the sweep as the file says it, before a scale thins it.
    codes
        Fingerprint of the code that simulates each scheduler; empty until a plan is made.
    """

    name: str
    figure: Figure
    labels: dict[str, dict[str, dict[str, Any]]]
    points: tuple[Point, ...]
    settings: dict[str, dict[str, Any]]
    size: int
    codes: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Nested mappings and lists, as `edgebatch.schema.read` takes them back."""
        return dataclasses.asdict(self)

    def digest(self) -> str:
        """Twelve hexadecimal digits that change with whatever the figure shows."""
        return identity(self.as_dict())

    def result(self, point: Point) -> str:
        """Name of the result of a point: its setting and its code."""
        return f"{point.id}-{self.codes[point.scheduler]}"

    def label(self, axis: str, value: Any) -> str:
        """How people call the value of an axis."""
        if axis == COLUMN:
            return self.figure.y.columns[value]
        if axis in self.labels:
            return str(self.labels[axis].get(str(value), {}).get("label", value))
        return f"{value:g}" if isinstance(value, float) else str(value)

    def line_name(self, value: Any) -> str:
        """How the figure calls the line of a value."""
        return self.figure.line_label.format(self.label(self.figure.lines or "", value))

    def values(self, axis: str) -> list[Any]:
        """The values of an axis, in the order of the sweep."""
        if axis == COLUMN:
            return list(self.figure.y.columns)
        if axis in self.labels:
            return list(self.labels[axis])
        return list(dict.fromkeys(point.axes[axis] for point in self.points))


class Nominal(Checked):
    """The configuration without overrides, and what the paper's own tables show of conf/.

    Attributes
    ----------
    configuration
        Composed with nothing overridden.
    models, quantizations
        Content of each file of conf/model/ and conf/quantization/, by name.
    """

    configuration: dict[str, Any]
    models: dict[str, dict[str, Any]]
    quantizations: dict[str, dict[str, Any]]
    assumptions: tuple[ValuedAssumption, ...]


def namer(experiments: Mapping[str, Experiment]) -> Callable[[str, str, Any], str]:
    """How to name the value of an axis of an experiment, with the axis where that is needed."""

    def name(experiment: str, axis: str, value: Any) -> str:
        if experiment not in experiments:  # what was measured has no file of conf/experiment/
            return str(value) if axis == "scheduler" else f"{axis} {value:g}"
        label = experiments[experiment].label(axis, value)
        if axis in experiments[experiment].labels:
            return label
        return f"{axis.rpartition('.')[2].replace('_', ' ')} {label}"

    return name
