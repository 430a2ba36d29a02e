"""The checklist of docs/badges.md points to what is there."""

import re

import pytest

from tests.workflow.checkout import ROOT

TEXT = (ROOT / "docs/badges.md").read_text(encoding="utf-8")
BUILT = {"paper/main.pdf", "report.html"}
NAMED = {name for name in re.findall(r"`([\w.*/-]+)`", TEXT) if "/" in name or "." in name} - BUILT


@pytest.mark.parametrize("name", sorted(NAMED))
def test_every_file_of_the_checklist_is_there(name):
    assert list(ROOT.glob(name)), name


def test_the_checklist_has_a_section_for_each_badge():
    badges = re.findall(r"^## (.*)$", TEXT, re.M)
    evaluated = ["Artifacts Evaluated: Functional", "Artifacts Evaluated: Reusable"]
    assert badges == ["Artifacts Available", *evaluated, "Results Reproduced"]
