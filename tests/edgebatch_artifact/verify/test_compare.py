"""What passes for the same file where another platform made it, and what does not."""

import io

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread, imsave

from edgebatch_artifact.publish.figures import make_figure, own_style
from edgebatch_artifact.verify.compare import how_they_differ, look_alike, same_but_for_rounding
from tests.edgebatch_artifact.experiments import make_experiment

LOADS = (10, 20, 50, 100)
MEANS = {"a": [8.0, 16.0, 31.0, 36.0], "b": [8.0, 15.0, 24.0, 26.0]}


def _figure(means):
    """Two lines over four loads, as the pipeline draws them."""
    y = {"columns": {"throughput_per_s": "Served"}, "label": "Throughput (requests/s)"}
    figure = {"x": {"key": "load", "label": "Load (requests/s)"}, "y": y, "lines": "kind"}
    labels = {"kind": {name: {"label": name.upper()} for name in means}}
    axes = [{"load": load, "kind": kind} for kind in means for load in LOADS]
    heights = [mean for line in means.values() for mean in line]
    rows = [
        {**values, "column": "throughput_per_s", "mean": mean, "half_width": 0.3}
        for values, mean in zip(axes, heights, strict=True)
    ]
    return make_figure(make_experiment(axes=axes, labels=labels, figure=figure), pd.DataFrame(rows))


def _png(figure, **style):
    buffer = io.BytesIO()
    with own_style(), mpl.rc_context(style):
        figure.savefig(buffer, dpi=300, format="png")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def picture():
    return _png(_figure(MEANS))


def _edited(png, edit):
    buffer = io.BytesIO()
    imsave(buffer, np.ascontiguousarray(edit(imread(io.BytesIO(png)))), format="png")
    return buffer.getvalue()


def test_a_picture_with_other_hinting_of_its_text_looks_alike(picture):
    other = _png(_figure(MEANS), **{"text.hinting": "none"})
    assert other != picture
    assert look_alike(picture, other)


def test_a_picture_without_smooth_edges_looks_alike(picture):
    figure = _figure(MEANS)
    for artist in figure.findobj(lambda artist: hasattr(artist, "set_antialiased")):
        artist.set_antialiased(False)
    other = _png(figure)
    assert other != picture
    assert look_alike(picture, other)


@pytest.mark.parametrize("by", [(2, 1), (0, 6)])
def test_a_picture_that_is_off_by_a_few_pixels_looks_alike(picture, by):
    assert look_alike(picture, _edited(picture, lambda pixels: np.roll(pixels, by, axis=(0, 1))))


@pytest.mark.parametrize(("curve", "points"), [("a", slice(None)), ("a", slice(3, None)), ("b", slice(1, 2))])
def test_a_curve_or_a_point_moved_by_a_twentieth_of_the_range_is_seen(picture, curve, points):
    moved = np.array(MEANS[curve])
    moved[points] -= 0.05 * 36
    assert not look_alike(picture, _png(_figure(MEANS | {curve: list(moved)})))


def test_curves_that_exchange_their_names_are_seen(picture):
    swapped = {"a": MEANS["b"], "b": MEANS["a"]}
    assert not look_alike(picture, _png(_figure(swapped)))


def test_another_size_or_a_damaged_picture_is_seen(picture):
    assert not look_alike(picture, _edited(picture, lambda pixels: pixels[:500, :500]))
    assert not look_alike(picture[: len(picture) // 2], picture)
    assert not look_alike(b"", picture)


@pytest.mark.parametrize(
    ("found", "expected", "same"),
    [
        ("a,1.23456,b", "a,1.23457,b", True),
        ("a,1.23456,b", "a,1.23458,b", False),
        ("1.2346e+06", "1.2347e+06", True),
        ("1.2346e+06", "1.2349e+06", False),
        ("0.1", "0.100001", True),
        ("0.1", "0.12", False),
        ("100", "99.9999", True),
        ("seeds,20", "seeds,21", False),
        ("0", "1.38778e-17", True),
        ("0", "-1.38778e-17", True),
        ("0.5", "-0.5", False),
        ("holds 1.5", "fails 1.5", False),
        ("1.5", "1.5 2.5", False),
        ("36.1 ± 0.31", "36.2 ± 0.32", True),
    ],
)
def test_texts_are_the_same_but_for_the_last_digit_of_a_number(found, expected, same):
    assert same_but_for_rounding(found, expected) is same
    assert same_but_for_rounding(expected, found) is same


def test_the_first_line_that_differs_is_shown_around_its_difference(tmp_path):
    long = "x" * 200
    (tmp_path / "found.md").write_text(f"one\n{long}A{long}\nthree\n")
    (tmp_path / "again.md").write_text(f"one\n{long}B{long}\n3\n")
    told = how_they_differ(tmp_path / "found.md", tmp_path / "again.md")
    assert told.startswith("line 2: found '...")
    assert "A" in told.partition("expected")[0]
    assert "B" in told.partition("expected")[2]
    assert len(told) < 160


def test_a_line_that_goes_on_is_shown_where_it_does(tmp_path):
    (tmp_path / "found.csv").write_text("x" * 100 + "\n")
    (tmp_path / "again.csv").write_text("x" * 100 + ",more\n")
    assert how_they_differ(tmp_path / "found.csv", tmp_path / "again.csv").endswith("x,more'")
