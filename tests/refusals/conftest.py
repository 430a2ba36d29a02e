"""Where experiments are refused: a folder with the configuration, and no experiment yet."""

import pytest

from tests.workflow.checkout import copy_conf


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory."""
    copy_conf(tmp_path / "conf")
    (tmp_path / "conf/experiment").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path
