"""What the analysis reads."""

import dataclasses

import pytest

from edgebatch import InputError
from edgebatch.metrics import METRICS
from edgebatch.setting import identity
from edgebatch_artifact.analysis.sources import gather, read_mapping
from edgebatch_artifact.runs.result_file import result_path, store_result
from edgebatch_artifact.settings.experiments.experiment import Point
from tests.edgebatch_artifact.experiments import make_experiment

SETTINGS = [{"load": 1}, {"load": 2}]


@pytest.fixture
def experiment(tmp_path):
    """An experiment of two settings with stored results of two seeds."""
    points = tuple(Point(identity(content), "dftsp", content) for content in SETTINGS)
    experiment = dataclasses.replace(make_experiment(), points=points)
    for point, content in zip(points, SETTINGS, strict=True):
        seeds = [{"seed": seed, **dict.fromkeys(METRICS, 10.0 * content["load"])} for seed in (0, 1)]
        store_result(tmp_path, experiment.result(point), content, seeds)
    return experiment


def test_the_samples_of_an_experiment_are_its_results_in_the_order_of_its_points(experiment, tmp_path):
    samples = gather(experiment, tmp_path)
    rows = [[1, 0, 10.0], [1, 1, 10.0], [2, 0, 20.0], [2, 1, 20.0]]
    assert samples[["load", "seed", "throughput_per_s"]].to_numpy().tolist() == rows


@pytest.mark.parametrize("text", [None, "{}"])
def test_a_result_that_is_missing_or_damaged_is_refused(experiment, tmp_path, text):
    path = result_path(tmp_path, experiment.result(experiment.points[1]))
    path.unlink()
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=rf"{path.name}: found (nothing|other content), expected the run"):
        gather(experiment, tmp_path)


def test_what_no_benchmark_has_stored_is_empty(tmp_path):
    assert read_mapping(tmp_path / "costs.json") == {}


@pytest.mark.parametrize("text", ["[]", "{"])
def test_what_is_no_mapping_is_told_by_name(tmp_path, text):
    (tmp_path / "costs.json").write_text(text)
    with pytest.raises(InputError, match=r"costs\.json: .*found .*, expected"):
        read_mapping(tmp_path / "costs.json")
