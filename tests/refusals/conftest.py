"""Where experiments are refused: a folder with the configuration, and no experiment yet."""

import shutil

import pytest

from tests.workflow.checkout import ROOT


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory."""
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("experiment"))
    (tmp_path / "conf/experiment").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path
