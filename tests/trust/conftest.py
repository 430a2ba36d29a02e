"""One undisturbed run, which the suites compare with and copy."""

import shutil
import time

import pytest

from tests.trust.project import command, small_project
from tests.workflow.checkout import execute


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project that nobody disturbed, and the seconds that its run took."""
    folder = small_project(tmp_path_factory.mktemp("finished") / "copy")
    begin = time.monotonic()
    done = execute(folder, *command())
    assert done.returncode == 0, done.stdout
    return folder, time.monotonic() - begin


@pytest.fixture
def folder(finished, tmp_path):
    """A copy of it, to spoil."""
    return shutil.copytree(finished[0], tmp_path / "copy")
