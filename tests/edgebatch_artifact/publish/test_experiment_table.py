"""The table of an experiment, from the points of its figure."""

import pandas as pd
import pytest

from edgebatch_artifact.publish.experiment_table import experiment_table
from tests.edgebatch_artifact.experiments import make_experiment

FIGURE = {"x": {"key": "rate", "label": "Rate (1/s)"}, "panels": "model"}
LABELS = {
    "scheduler": {"b": {"label": "B & B"}, "a": {"label": "A_1"}},
    "model": {"m": {"label": "Model"}},
}
AXES = [{"rate": rate, "scheduler": scheduler, "model": "m"} for rate in (9, 10) for scheduler in ("b", "a")]


def _table(points, column="throughput_per_s", **more):
    """The table of points, each with its axes and its mean."""
    rows = [
        {**axis, "column": column, "mean": mean, "half_width": 0.25, "cut_off": 0.5} for axis, mean in points
    ]
    experiment = make_experiment("load", AXES, LABELS, FIGURE | more)
    return experiment_table(experiment, pd.DataFrame(rows))


def test_a_table_has_rows_and_columns_in_the_order_of_the_sweep():
    table = _table(zip(AXES[::-1], (4.0, 3.0, 2.0, 1.0), strict=True))
    assert table.head == ("Model", "Rate (1/s)", "B & B", "A_1")
    assert table.rows == (
        ("Model", "9", "1 ± 0.25", "2 ± 0.25"),
        ("Model", "10", "3 ± 0.25", "4 ± 0.25"),
    )
    assert table.columns == "llrr"


def test_a_setting_without_result_is_a_dash():
    table = _table(zip(AXES[:3], (1.0, 2.0, 3.0), strict=True))
    assert table.rows[1] == ("Model", "10", "3 ± 0.25", "–")


def test_panels_of_columns_are_rows_of_the_table():
    columns = {"gap": "Mean gap", "exact": "Solved exactly"}
    y = {"columns": columns, "label": "Share", "relative_to": "c"}
    rows = [
        {**axis, "column": column, "mean": mean + place, "half_width": 0.0}
        for place, axis in enumerate(AXES)
        for column, mean in (("gap", 1), ("exact", 5))
    ]
    experiment = make_experiment("load", AXES, LABELS, FIGURE | {"y": y, "panels": "column"})
    shown = experiment_table(experiment, pd.DataFrame(rows))
    assert shown.head == ("Share", "Rate (1/s)", "B & B", "A_1")
    assert shown.rows == (
        ("Mean gap", "9", "1 ± 0", "2 ± 0"),
        ("Mean gap", "10", "3 ± 0", "4 ± 0"),
        ("Solved exactly", "9", "5 ± 0", "6 ± 0"),
        ("Solved exactly", "10", "7 ± 0", "8 ± 0"),
    )


def test_only_what_the_figure_shows_is_in_the_table():
    shown = _table([(axis, 1.0) for axis in AXES], where={"scheduler": "a"})
    assert shown.head == ("Model", "Rate (1/s)", "A_1")


@pytest.mark.parametrize(
    ("column", "scale", "cell"),
    [
        ("nodes", "log", "≥ 2"),
        ("nodes", "linear", "≥ 2 ± 0.25"),
        ("batch_size", "log", "2"),
    ],
)
def test_nodes_of_searches_that_were_cut_off_are_bounds_and_logs_have_no_interval(column, scale, cell):
    y = {"columns": {column: "Column"}, "label": "Label", "scale": scale}
    table = _table([(AXES[0], 2.0)], column, y=y)
    assert table.rows == (("Model", "9", cell),)


def test_a_table_of_claims_has_the_share_and_interval_of_each():
    experiment = make_experiment("robust", figure={"draw": "claims", "title": "Title"})
    points = pd.DataFrame([{"claim": "C", "share": 0.925, "low": 0.8, "high": 1.0, "draws": 40}])
    table = experiment_table(experiment, points)
    assert (table.caption, table.name) == ("Title", "robust")
    assert table.rows == (("C", "0.925", "[0.800, 1.000]", "40"),)
