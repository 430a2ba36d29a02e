"""From samples to the points of a figure."""

import pandas as pd
import pytest

from edgebatch import InputError
from edgebatch.metrics import METRICS
from edgebatch_artifact.analysis.claim_file import Claims, Part
from edgebatch_artifact.analysis.collect import figure_numbers
from edgebatch_artifact.analysis.statistics import estimate
from tests.edgebatch_artifact.experiments import make_experiment
from tests.edgebatch_artifact.samples import make_claim, make_samples

NO_CLAIMS = Claims(0.95, ())


def _samples(column="batch_size", **values):
    """Values of a column by scheduler, one a seed, at each of two loads; the second has twice the values."""
    rows = [
        {"load": load, "scheduler": scheduler, "seed": seed, **dict.fromkeys(METRICS, 0.0)}
        | {column: load * value}
        for load in (2, 1)
        for scheduler, found in values.items()
        for seed, value in enumerate(found)
    ]
    return pd.DataFrame(rows)


def test_a_point_has_mean_interval_seeds_and_the_share_of_cut_off_searches():
    samples = _samples("throughput_per_s", a=[1.0, 2.0, 4.5])
    samples["cut_off"] = [0.0, 0.5, 1.0] * 2
    points = figure_numbers(make_experiment(), samples, NO_CLAIMS)
    assert list(points.columns) == ["load", "scheduler", "column", "mean", "half_width", "seeds", "cut_off"]
    assert points["load"].tolist() == [1, 2]
    expected = estimate([1.0, 2.0, 4.5], 0.95)
    first = points.iloc[0]
    assert (first["mean"], first["half_width"]) == (expected.mean, expected.half_width)
    assert (first["seeds"], first["cut_off"], first["column"]) == (3, 0.5, "throughput_per_s")


def test_the_order_of_results_does_not_change_the_points():
    samples = _samples("throughput_per_s", a=[1.0, 2.0], b=[3.0, 5.0])
    points = figure_numbers(make_experiment(), samples, NO_CLAIMS)
    shuffled = figure_numbers(make_experiment(), samples.sample(frac=1, random_state=3), NO_CLAIMS)
    pd.testing.assert_frame_equal(points.reset_index(drop=True), shuffled.reset_index(drop=True))


def test_a_figure_relative_to_a_scheduler_shows_paired_gaps_of_the_others():
    y = {"columns": {"gap": "Gap", "exact": "Exact"}, "label": "Share", "relative_to": "best"}
    experiment = make_experiment(figure={"draw": "bars", "y": y})
    samples = _samples(best=[4, 8, 2], other=[3, 6, 1.5])
    points = figure_numbers(experiment, samples, NO_CLAIMS)
    assert list(points.columns[:3]) == ["load", "scheduler", "column"]
    assert points["scheduler"].tolist() == ["other"] * 4
    gaps = points[points["column"] == "gap"]
    # sizes vary from seed to seed, their gap does not
    assert gaps["mean"].tolist() == [0.25, 0.25]
    assert gaps["half_width"].tolist() == [0.0, 0.0]


PART = Part("more", "surpasses", "throughput_per_s", "ours", ("theirs",))
SURVIVES = make_claim("survives", "", of="", over=(), at_least=0.9, parts=(PART,))


def test_a_figure_of_claims_has_a_row_for_each_part_that_survives_by_it():
    samples = make_samples("throughput_per_s", ((5, 6, 7), (1, 2, 2)), ((1, 2, 2), (5, 6, 7)), axis="draw")[
        "e"
    ]
    experiment = make_experiment("e", figure={"draw": "claims"})
    points = figure_numbers(experiment, samples, Claims(0.95, (make_claim("surpasses"), SURVIVES)))
    assert points[["claim", "share", "draws"]].to_numpy().tolist() == [["more", 0.5, 2]]


def test_a_figure_of_claims_that_no_claim_is_tested_by_is_refused():
    experiment = make_experiment("other", figure={"draw": "claims"})
    with pytest.raises(InputError, match=r"^conf/experiment/other\.yaml: figure\.draw: found claims"):
        figure_numbers(experiment, _samples(), Claims(0.95, (SURVIVES,)))
