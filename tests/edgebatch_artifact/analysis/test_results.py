"""The results that are kept in git: complete, and as precise as they are said to be."""

import pandas as pd
import pytest

from edgebatch_artifact.settings.conf_folder import groups
from tests.workflow.checkout import ROOT

EXPERIMENTS = groups(ROOT / "conf")["experiment"]
SWEEPS = ("throughput_vs_arrival_rate", "throughput_vs_latency", "throughput_vs_accuracy")


@pytest.mark.parametrize("sweep", SWEEPS)
def test_the_interval_of_dftsp_is_at_most_3_percent_of_its_mean_on_either_side(sweep):
    points = pd.read_csv(ROOT / f"figures/{sweep}.csv")
    points = points[(points["scheduler"] == "dftsp") & (points["column"] == "throughput_per_s")]
    if "workload.arrival_rate" in points:
        points = points[points["workload.arrival_rate"] >= 50]
    assert len(points)
    wide = points[points["half_width"] > 0.03 * points["mean"]]
    assert wide.empty, wide.to_string()


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_has_its_figure_numbers_and_table(experiment):
    for name in (f"figures/{experiment}.{ending}" for ending in ("pdf", "png", "csv")):
        assert (ROOT / name).stat().st_size, name
    assert f"tab:{experiment}" in (ROOT / f"paper/tables/{experiment}.tex").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["claims", "models", "quantization", "assumptions"])
def test_every_other_table_is_there(name):
    assert f"tab:{name}" in (ROOT / f"paper/tables/{name}.tex").read_text(encoding="utf-8")


def test_every_point_has_the_seeds_of_its_scale():
    for path in (ROOT / "figures").glob("*.csv"):
        points = pd.read_csv(path)
        assert not points.empty, path.name
        if "seeds" in points:
            assert points["seeds"].min() >= 2, path.name
            assert (points["half_width"] >= 0).all(), path.name
