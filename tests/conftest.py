"""For all tests: where tools are found, and which tests stay together on one worker of pytest-xdist."""

import os
import sys
from pathlib import Path

import pytest

os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
os.environ.setdefault("MPLBACKEND", "agg")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep files whose tests share a costly fixture on one worker.

    The option for that, ``--dist loadgroup``, has no effect with pytest 9.2 and pytest-xdist 3.8.
    """
    from xdist.scheduler import LoadScopeScheduling

    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = _together
    return scheduler


def _together(nodeid):
    file = nodeid.partition("::")[0]
    return nodeid if file.startswith("tests/edgebatch/") else file
