"""What is cut short, emptied or edited by hand is found, and made again as it was."""

import os
import re

import pytest

from tests.trust.project import command, differing, published
from tests.workflow.checkout import execute

SPOILERS = {
    "cut short": lambda content: content[: len(content) // 2],
    "emptied": lambda content: b"",
    "edited": lambda content: re.sub(rb"1", b"2", content) or b"x",
}
SPOILT = (
    "runs/*.json",
    "settings/*.json",
    "batches/*.json",
    "grids/smoke/*.json",
    "smoke/experiments/*.json",
    "smoke/samples/*.csv",
    "smoke/figures/*.csv",
    "smoke/figures/*.png",
    "smoke/paper/values.tex",
    "smoke/paper/main.pdf",
    "smoke/CLAIMS.md",
    "smoke/report/*.json",
    "smoke/report.html",
)


@pytest.mark.parametrize("how", SPOILERS)
def test_a_file_of_each_kind_that_is_spoilt_is_made_again(folder, how):
    good, spoilt = published(folder), []
    for pattern in SPOILT:
        path = min((folder / "results").glob(pattern))
        path.write_bytes(SPOILERS[how](path.read_bytes()))
        spoilt.append(path)
    done = execute(folder, *command())
    assert done.returncode == 0, done.stdout
    assert differing(published(folder), good) == []
    for path in spoilt:
        name = os.fspath(path.relative_to(folder))
        if name in good:
            assert len(re.findall(rf"^artifact: {re.escape(name)}: not as", done.stdout, re.M)) == 1, name
    assert "Nothing to be done" in execute(folder, *command()).stdout


def test_what_is_known_of_the_files_is_not_trusted_if_it_is_spoilt_itself(folder):
    good = published(folder)
    ledger = folder / "results/smoke/made/digests.json"
    ledger.write_text(ledger.read_text().replace("a", "b"))
    done = execute(folder, *command())
    assert done.returncode == 0, done.stdout
    assert "not as" not in done.stdout
    assert published(folder) == good
