"""README.md is short, and says of claims what CLAIMS.md says."""

import re

from tests.workflow.checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
VERDICT = r"(holds in part|holds|does not hold)"


def test_it_has_at_most_800_words():
    assert len(README.split()) <= 800


def test_its_verdicts_are_those_of_the_claims_page():
    page = (ROOT / "CLAIMS.md").read_text(encoding="utf-8")
    decided = dict(re.findall(rf"^\| (C\d+) .*\*\*{VERDICT}\*\*", page, re.M))
    told = dict(re.findall(rf"^- (C\d+) \*\*{VERDICT}\*\*", README, re.M))
    assert len(told) == 5
    assert told.items() <= decided.items()


def test_every_page_that_the_documentation_links_to_is_there():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        text = page.read_text(encoding="utf-8")
        links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
        built = {"paper/main.pdf", "report.html"}
        assert [link for link in links if link not in built and not (page.parent / link).exists()] == [], page
