import pandas as pd
import pytest

from edgebatch_artifact.publish.figures import make
from edgebatch_artifact.settings.experiment import ExperimentData

LABELS = {"scheduler": {"a": {"label": "A"}, "b": {"label": "B"}}}
COLUMNS = {"gap": "Mean gap", "exact": "Solved exactly"}


def _figure(scale="linear", **more):
    """Bars of two columns for two schedulers at two loads; half widths are larger than means."""
    y = {"columns": COLUMNS, "label": "Share", "scale": scale}
    figure = {"draw": "bars", "x": {"key": "load", "label": "Load"}, "y": y, "lines": "scheduler"}
    axes = [{"load": load, "scheduler": scheduler} for load in (1, 2) for scheduler in ("a", "b")]
    rows = [
        {**axis, "column": column, "mean": mean + place, "half_width": 20.0}
        for place, axis in enumerate(axes)
        for column, mean in (("gap", 1.0), ("exact", 5.0))
    ]
    points = [{"id": "i", "run": "r", "axes": axis} for axis in axes]
    return make(ExperimentData("mine", figure | more, LABELS, points), pd.DataFrame(rows))


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
