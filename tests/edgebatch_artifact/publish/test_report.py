"""The report as a page."""

import io
import re

import pytest
from matplotlib.figure import Figure

from edgebatch_artifact.publish.report import is_png, report_page, typeset
from edgebatch_artifact.publish.table import Table
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_FIGURES, CALIBRATION_TABLES
from tests.edgebatch_artifact.experiments import make_experiment
from tests.workflow.checkout import ROOT

LAYOUT = ROOT / "workflow/report"


def _png():
    """A picture of 100 by 50 pixels."""
    buffer = io.BytesIO()
    Figure(figsize=(1, 0.5)).savefig(buffer, dpi=100, format="png")
    return buffer.getvalue()


def _page(scale="full"):
    """The page of two experiments, of which the second decides the claim."""
    y = {"columns": {"throughput_per_s": "t"}, "label": "Rate <1/s>"}
    experiments = {
        name: make_experiment(name, [{"load": 1}], figure={"title": f"Title of {name}", "y": y})
        for name in ("a", "b")
    }
    claim = dict.fromkeys(("says", "certainty", "expected", "measured", "about"), "<words>")
    claim |= {"id": "C1", "experiments": ["b"], "verdict": "holds in part", "exceptions": ["here"]}
    tables = {
        name: Table(f"Caption of {name}", name, ("Head & tail",), (("1.50e+06",),), "r")
        for name in ("a", "b", "models", "quantization", "assumptions", *CALIBRATION_TABLES)
    }
    pictures = dict.fromkeys(("a", "b", "race", *CALIBRATION_FIGURES), _png())
    return report_page(experiments, [claim], tables, pictures, LAYOUT, scale)


def test_figures_that_decide_a_claim_come_first_and_name_it():
    articles = re.findall(r'<article id="(\w+)">(.*?)</article>', _page(), re.S)
    assert [name for name, _ in articles] == ["b", "a", *CALIBRATION_FIGURES, "race"]
    assert [name for name, article in articles if "C1" in article] == ["b"]


def test_the_page_escapes_what_the_configuration_says():
    page = _page()
    assert "&lt;words&gt;" in page
    assert "Head &amp; tail" in page
    assert "Line chart: Rate &lt;1/s&gt; against Load." in page
    assert "<words>" not in page


def test_pictures_stand_in_the_page_itself_at_half_their_pixels():
    page = _page()
    assert page.count('src="data:image/png;base64,') == page.count("<img") == 3 + len(CALIBRATION_FIGURES)
    assert page.count('width="50" height="25"') == page.count("<img")
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_only_a_page_of_another_scale_warns_of_its_numbers():
    assert "its numbers decide nothing" in _page("smoke")
    assert "its numbers decide nothing" not in _page()


def test_a_picture_is_known_by_its_first_bytes():
    assert is_png(_png())
    assert not is_png(b"")
    assert not is_png(_png()[:20])
    assert not is_png(b"%PDF" + _png())


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("1.3e-11 %", "1.3\u00a0×\u00a010<sup>\u221211</sup>\u00a0%"),
        ("from -4.36 ± 0.035", "from \u22124.36\u00a0±\u00a00.035"),
        ("BLOOM-3B & <b>", "BLOOM-3B &amp; &lt;b&gt;"),
    ],
)
def test_numbers_are_typeset_and_stay_whole(text, page):
    assert typeset(text) == page
