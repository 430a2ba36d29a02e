"""Figures as Matplotlib holds them, and as files."""

import matplotlib as mpl
import pandas as pd
import pytest

from edgebatch_artifact.publish.figures import make_figure, save_figure
from tests.edgebatch_artifact.experiments import make_experiment

LABELS = {"scheduler": {"a": {"label": "A"}, "b": {"label": "B"}}}
COLUMNS = {"gap": "Mean gap", "exact": "Solved exactly"}


def _figure(scale="linear", **more):
    """Bars of two columns for two schedulers at two loads; half widths are larger than means."""
    y = {"columns": COLUMNS, "label": "Share", "scale": scale, "relative_to": "c"}
    axes = [{"load": load, "scheduler": scheduler} for load in (1, 2) for scheduler in ("a", "b")]
    rows = [
        {**axis, "column": column, "mean": mean + place, "half_width": 20.0}
        for place, axis in enumerate(axes)
        for column, mean in (("gap", 1.0), ("exact", 5.0))
    ]
    experiment = make_experiment(axes=axes, labels=LABELS, figure={"draw": "bars", "y": y} | more)
    return make_figure(experiment, pd.DataFrame(rows))


def _lines(**more):
    """Two lines over two loads."""
    axes = [{"load": load, "scheduler": scheduler} for load in (1, 10) for scheduler in ("a", "b")]
    rows = [
        {**axis, "column": "throughput_per_s", "mean": 1.0 + place, "half_width": 0.5}
        for place, axis in enumerate(axes)
    ]
    return make_figure(make_experiment(axes=axes, labels=LABELS, figure=more), pd.DataFrame(rows))


def _heights(axes):
    return [bar.get_height() for bar in axes.patches]


def test_panels_of_columns_show_one_column_each_on_axes_of_their_own():
    gap, exact = _figure(panels="column").axes
    assert [axes.get_title() for axes in (gap, exact)] == ["Mean gap", "Solved exactly"]
    # a at both loads, then b
    assert _heights(gap) == [1.0, 3.0, 2.0, 4.0]
    assert _heights(exact) == [5.0, 7.0, 6.0, 8.0]
    assert not gap.get_shared_y_axes().joined(gap, exact)
    assert [text.get_text() for text in gap.figure.legends[0].get_texts()] == ["A", "B"]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bars_have_the_scale_of_their_measure_and_intervals_that_it_has_room_for(scale):
    axes = _figure(scale, panels="column").axes[0]
    assert axes.get_yscale() == scale
    ends = [y for line in axes.collections for path in line.get_segments() for y in path[:, 1]]
    assert min(ends) == pytest.approx(0.1 if scale == "log" else -19.0)


def test_lines_go_through_their_means_and_are_named_in_a_legend():
    (axes,) = _lines().axes
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[1, 1], [10, 3]], [[1, 2], [10, 4]]]
    assert [text.get_text() for text in axes.figure.legends[0].get_texts()] == ["A", "B"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Load", "Throughput (1/s)")


def test_lines_that_the_figure_leaves_out_are_not_drawn():
    (axes,) = _lines(where={"scheduler": "b"}).axes
    assert [line.get_xydata().tolist() for line in axes.lines] == [[[1, 2], [10, 4]]]


def test_a_logarithmic_axis_has_a_tick_for_each_value_that_is_drawn():
    (axes,) = _lines(x={"key": "load", "label": "Load", "scale": "log"}).axes
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "10"]


def test_a_figure_of_claims_has_a_bar_for_each():
    points = pd.DataFrame(
        {"claim": ["one", "two"], "share": [0.5, 1.0], "low": [0.25, 0.75], "high": [0.75, 1.0]}
    )
    (axes,) = make_figure(make_experiment(figure={"draw": "claims"}), points).axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 1.0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["one", "two"]


def test_the_style_of_a_user_changes_no_figure_and_is_left_as_it_was(tmp_path):
    plain, styled = tmp_path / "plain.png", tmp_path / "styled.png"
    save_figure(_lines(), plain)
    with mpl.rc_context({"axes.labelweight": "bold", "font.size": 20, "savefig.bbox": "tight"}):
        save_figure(_lines(), styled)
        assert mpl.rcParams["font.size"] == 20
    assert styled.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("ending", ["pdf", "png"])
def test_a_figure_saved_twice_has_the_same_bytes(tmp_path, ending):
    for name in ("one", "two"):
        save_figure(_lines(), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()
