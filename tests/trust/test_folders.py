"""A figure is made in a folder of any name, and with results that lie elsewhere."""

import sys

import pytest

from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import copy_without_experiments, execute

NAMES = ("a, b", "semi;colon", "co:lon", "$HOME", "quo'te", 'dou"ble', "at&t", "ümläut", "(round)", "x" * 200)


def _project(to):
    folder = copy_without_experiments(to)
    (folder / "conf/experiment/mine.yaml").write_text(GOOD)
    return folder


def _snakemake(folder, *words):
    return execute(folder, sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", *words)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_made_in_a_folder_of_any_name(tmp_path, name):
    folder = _project(tmp_path / name)
    done = _snakemake(folder, "figures/mine.pdf")
    assert done.returncode == 0, done.stdout
    assert (folder / "figures/mine.pdf").read_bytes().startswith(b"%PDF")


def test_braces_in_a_path_are_refused_in_one_line(tmp_path):
    folder = _project(tmp_path / "{x}")
    done = _snakemake(folder, "figures/mine.pdf")
    assert done.returncode != 0
    said = [line for line in done.stdout.splitlines() if not line.startswith("Using workflow specific")]
    assert len(said) == 1
    assert "found braces in its path, expected a folder without" in said[0]


def test_results_may_be_a_link(tmp_path):
    folder = _project(tmp_path / "copy")
    (tmp_path / "elsewhere").mkdir()
    (folder / "results").symlink_to(tmp_path / "elsewhere")
    assert _snakemake(folder, "figures/mine.pdf").returncode == 0
    assert list((tmp_path / "elsewhere/runs").glob("*.json"))
