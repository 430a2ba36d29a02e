"""A result that is cut short, emptied or edited by hand is found, and simulated again as it was."""

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


@pytest.mark.parametrize("how", SPOILERS)
def test_a_spoilt_result_is_simulated_again_with_a_line(folder, how):
    good = published(folder)
    path = min((folder / "results/runs").glob("*.json"))
    path.write_bytes(SPOILERS[how](path.read_bytes()))
    done = execute(folder, *command())
    assert done.returncode == 0, done.stdout
    name = re.escape(os.fspath(path.relative_to(folder)))
    assert len(re.findall(rf"^artifact: {name}: not as it was stored", done.stdout, re.M)) == 1
    assert differing(published(folder), good) == []
    assert "Nothing to be done" in execute(folder, *command()).stdout


@pytest.mark.parametrize("how", SPOILERS)
@pytest.mark.parametrize("name", ["experiments/throughput_vs_accuracy.json", "nominal.json"])
def test_a_spoilt_file_of_the_plan_is_not_trusted(folder, how, name):
    good, path = published(folder), folder / "results/smoke" / name
    whole = path.read_bytes()
    path.write_bytes(SPOILERS[how](whole))
    min((folder / "results/runs").glob("*.json")).unlink()
    done = execute(folder, *command())
    assert done.returncode == 0, done.stdout
    assert path.read_bytes() == whole
    assert differing(published(folder), good) == []


def test_an_edited_figure_is_left_to_git_and_to_verify(folder):
    path = folder / "results/smoke/figures/throughput_vs_accuracy.csv"
    path.write_bytes(SPOILERS["edited"](path.read_bytes()))
    execute(folder, *command())
    verify = ("artifact", "verify", "--scale", "smoke", "--sample", "0")
    done = execute(folder, *verify)
    assert done.returncode == 1
    assert re.search(rf"^results/smoke/figures/{path.name}: line \d+: found", done.stdout, re.M)
