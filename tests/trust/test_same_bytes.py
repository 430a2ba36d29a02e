"""The same bytes of every result, figure, table and claim, wherever and however the pipeline runs."""

import shutil

import pytest

from tests.trust.project import command, differing, published, start, whole_project
from tests.workflow.checkout import execute, repeating

PLAIN = {"LC_ALL": "C", "TZ": "UTC", "PYTHONHASHSEED": "0"}
OTHER = {"LC_ALL": "C.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kolkata", "PYTHONHASHSEED": "4242"}


def _run(folder, cores, variables):
    log = folder.parent / "run.log"
    assert start(folder, log, cores, **variables).wait() == 0, log.read_text()[-3000:]
    return published(folder)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A copy in a folder with a space, run on four cores with another locale, time zone and hash seed."""
    folder = whole_project(tmp_path_factory.mktemp("elsewhere") / "another place" / "copy")
    return folder, _run(folder, 4, OTHER)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    folder = whole_project(tmp_path_factory.mktemp("plain") / "copy")
    return folder, _run(folder, 1, PLAIN)


def test_on_one_core_and_on_four_elsewhere_all_bytes_are_the_same(plain, elsewhere):
    found = plain[1]
    kinds = {name.rpartition(".")[2] for name in found}
    assert kinds == {"csv", "pdf", "png", "tex", "html", "md", "json"}
    assert shutil.which("latexmk") is None or "results/smoke/paper/main.pdf" in found
    assert differing(found, elsewhere[1]) == []


def test_when_everything_is_made_a_second_time_all_bytes_are_the_same(elsewhere):
    folder, first = elsewhere
    done = execute(folder, *command(), "--forceall")
    assert done.returncode == 0, done.stdout
    assert differing(published(folder), first) == []


def test_a_result_simulated_a_second_time_has_the_same_bytes(elsewhere):
    folder, _ = elsewhere
    run = max((folder / "results/runs").glob("*.json"))
    before = run.read_bytes()
    run.unlink()
    assert execute(folder, *repeating(folder, run)).returncode == 0
    assert run.read_bytes() == before
