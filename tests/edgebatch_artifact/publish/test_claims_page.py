"""CLAIMS.md, and the same as data."""

import json

from edgebatch_artifact.publish.claims_page import claims_json, claims_page
from tests.edgebatch_artifact.samples import decide_claim, make_claim, make_samples

MORE, LESS = ((5, 6, 7), (1, 2, 2)), ((1, 2, 2), (5, 6, 7))


def _decision(test="surpasses"):
    """A claim that holds in one of two settings."""
    return decide_claim(make_claim(test), make_samples("throughput_per_s", MORE, LESS))


def test_the_page_shows_statement_command_verdict_and_minutes():
    page = claims_page([_decision()], {"e": 1.25})
    row = next(line for line in page.splitlines() if line.startswith("| C "))
    for text in (
        "a claim",
        "[chosen]",
        "`snakemake --cores 8 figures/e.csv`",
        "**holds in part**",
        "| 1.2 |",
    ):
        assert text in row
    assert "| – |" in claims_page([_decision()], {})


def test_the_page_lists_every_exception_under_its_claim():
    page = claims_page([_decision()], {})
    (exception,) = _decision().exceptions
    assert f"\n## C: where it is not so\n\n- {exception}\n" in page
    assert "\n## C: where it is so\n" in claims_page([_decision("somewhere")], {})


def test_the_data_have_all_that_the_page_says():
    (found,) = json.loads(claims_json([_decision()]))
    assert found["id"] == "C"
    assert found["experiments"] == ["e"]
    assert found["verdict"] == "holds in part"
    assert found["about"] == "where it is not so"
    assert found["exceptions"] == list(_decision().exceptions)
