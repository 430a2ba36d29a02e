"""Expanded experiments in a line, for tests of what comes after expanding them."""

from edgebatch.schema import read
from edgebatch_artifact.settings.experiments.experiment import Experiment, Point
from edgebatch_artifact.settings.experiments.figure import Figure

FIGURE = {
    "title": "Load",
    "caption": "Throughput against load.",
    "draw": "lines",
    "x": {"key": "load", "label": "Load"},
    "y": {"columns": {"throughput_per_s": "Throughput"}, "label": "Throughput (1/s)"},
    "lines": "scheduler",
}


def make_experiment(name="mine", axes=(), labels=None, figure=None) -> Experiment:
    """An experiment with a point for each mapping of `axes`; `figure` changes `FIGURE`."""
    points = tuple(Point(f"{number:012x}", "dftsp", dict(values)) for number, values in enumerate(axes))
    content = {key: value for key, value in (FIGURE | (figure or {})).items() if value is not None}
    settings = {point.id: {} for point in points}
    codes = {"dftsp": "c0de00000000"}
    return Experiment(name, read(Figure, content), labels or {}, points, settings, len(points), codes)
