import json
import re

import pytest
from matplotlib.figure import Figure

from edgebatch.errors import InputError
from edgebatch_artifact.publish.report import report_page, typeset
from edgebatch_artifact.publish.tables import Table
from edgebatch_artifact.settings.experiment import ExperimentData
from tests.workflow.checkout import ROOT

LAYOUT = ROOT / "workflow/report"
FIGURE = {
    "draw": "lines",
    "x": {"key": "load", "label": "Load"},
    "y": {"label": "Rate <1/s>"},
    "caption": "c",
}


@pytest.fixture
def pieces(tmp_path):
    """What the other steps make, for two experiments of which the second decides the claim."""
    (tmp_path / "experiments").mkdir()
    (tmp_path / "report").mkdir()
    for name in ("a", "b"):
        data = ExperimentData(
            name, FIGURE | {"title": f"Title of {name}"}, {}, [{"id": "0", "run": "0.json", "axes": {}}]
        )
        (tmp_path / "experiments" / f"{name}.json").write_text(data.to_json())
        Figure(figsize=(1, 0.5)).savefig(tmp_path / f"{name}.png", dpi=100)
    Figure().savefig(tmp_path / "race.png")
    for name in ("a", "b", "models", "quantization", "assumptions"):
        table = Table(f"Caption of {name}", name, ("Head & tail",), (("1.50e+06",),), "r")
        (tmp_path / "report" / f"{name}.json").write_text(table.to_json())
    claim = dict.fromkeys(("says", "certainty", "expected", "measured", "about"), "<words>")
    claim |= {"id": "C1", "experiments": ["b"], "verdict": "holds in part", "exceptions": ["here"]}
    (tmp_path / "report" / "claims.json").write_text(json.dumps([claim]))
    return tmp_path


def _page(pieces, scale="full"):
    return report_page(pieces, pieces, pieces, LAYOUT, scale)


def test_figures_that_decide_a_claim_come_first_and_name_it(pieces):
    articles = re.findall(r'<article id="(\w+)">(.*?)</article>', _page(pieces), re.S)
    assert [name for name, _ in articles] == ["b", "a", "race"]
    assert ["C1" in article for _, article in articles] == [True, False, False]


def test_the_page_escapes_what_the_configuration_says(pieces):
    page = _page(pieces)
    assert "&lt;words&gt;" in page
    assert "Head &amp; tail" in page
    assert "Line chart: Rate &lt;1/s&gt; against Load." in page
    assert "<words>" not in page


def test_pictures_stand_in_the_page_itself_at_half_their_pixels(pieces):
    page = _page(pieces)
    assert page.count('src="data:image/png;base64,') == page.count("<img") == 3
    assert page.count('width="50" height="25"') == 2
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)


def test_only_a_page_of_another_scale_warns_of_its_numbers(pieces):
    assert "its numbers decide nothing" in _page(pieces, "smoke")
    assert "its numbers decide nothing" not in _page(pieces)


@pytest.mark.parametrize("piece", ["report/claims.json", "report/models.json", "a.png", "race.png"])
def test_a_piece_that_is_missing_is_told_by_name(pieces, piece):
    (pieces / piece).unlink()
    with pytest.raises(InputError, match=f"{piece}: found no such file"):
        _page(pieces)


def test_a_picture_that_is_none_is_told_by_name(pieces):
    (pieces / "a.png").write_text("")
    with pytest.raises(InputError, match=r"a\.png: found no PNG"):
        _page(pieces)


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
