"""What experiments expand to: points, and the settings that they stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Point:
    """One setting of an experiment.

    Attributes
    ----------
    id
        Name of the setting by its content.
    scheduler
        Module of the scheduler, which decides with the rest of the code whether a result is current.
    axes
        Value of each swept key; for a group the name of the chosen file.
    """

    id: str
    scheduler: str
    axes: dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """A file of conf/experiment/, expanded.

    Attributes
    ----------
    figure
        What is drawn, as the file says it.
    labels
        How to name the values of each swept group: label, and for schedulers colour and marker.
    size
        Points of the sweep as the file says it, before a scale thins it.
    """

    name: str
    figure: dict[str, Any]
    labels: dict[str, dict[str, dict[str, Any]]]
    points: tuple[Point, ...]
    size: int


@dataclass(frozen=True)
class Grid:
    """All experiments at one scale, and the settings that they need, by id."""

    experiments: dict[str, Experiment]
    settings: dict[str, dict[str, Any]]
