"""An expanded experiment: how its values are named, and its results."""

import dataclasses
import json

import pytest

from edgebatch.schema import read
from edgebatch_artifact.settings.experiments.experiment import Experiment, namer
from tests.edgebatch_artifact.experiments import make_experiment

LABELS = {"scheduler": {"b": {"label": "Scheduler B"}, "a": {"label": "Scheduler A"}}}


@pytest.fixture
def experiment():
    """Two loads for each of two schedulers."""
    axes = [{"workload.load": load, "scheduler": name} for load in (2.0, 0.5) for name in ("a", "b")]
    return make_experiment(axes=axes, labels=LABELS)


def test_values_of_an_axis_come_in_the_order_of_the_sweep(experiment):
    assert experiment.values("workload.load") == [2.0, 0.5]
    assert experiment.values("scheduler") == ["b", "a"]
    assert experiment.values("column") == ["throughput_per_s"]


@pytest.mark.parametrize(
    ("axis", "value", "label"),
    [
        ("scheduler", "a", "Scheduler A"),
        ("workload.load", 2.0, "2"),
        ("workload.load", "whole", "whole"),
        ("column", "throughput_per_s", "Throughput"),
    ],
)
def test_a_value_is_called_by_its_label_else_as_it_is(experiment, axis, value, label):
    assert experiment.label(axis, value) == label


def test_a_value_without_label_is_named_with_its_axis(experiment):
    name = namer({"mine": experiment})
    assert name("mine", "scheduler", "b") == "Scheduler B"
    assert name("mine", "workload.load", 0.5) == "load 0.5"


def test_a_result_is_named_by_setting_and_code(experiment):
    point = experiment.points[1]
    assert experiment.result(point) == f"{point.id}-{experiment.codes['dftsp']}"


def test_an_experiment_read_back_from_json_is_the_same(experiment):
    assert read(Experiment, json.loads(json.dumps(experiment.as_dict()))) == experiment


@pytest.mark.parametrize(
    "change",
    [
        {"codes": {"dftsp": "other"}},
        {"labels": {}},
        {"figure": make_experiment(figure={"title": "Other"}).figure},
        {"points": ()},
    ],
)
def test_the_digest_changes_with_whatever_the_figure_shows(experiment, change):
    assert dataclasses.replace(experiment, **change).digest() != experiment.digest()
