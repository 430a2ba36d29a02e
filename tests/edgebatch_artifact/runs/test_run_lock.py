"""The lock of a folder: one run at a time, freed by whatever ends it."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.workflow.checkout import environment

HOLD = """
import subprocess, sys, time
from pathlib import Path
from edgebatch_artifact.runs import run_lock
from edgebatch.errors import InputError
try:
    run_lock.take(Path("state"))
except InputError as error:
    sys.exit(f"refused: {error}")
if sys.argv[1:] == ["job"]:
    subprocess.Popen(["sleep", "60"])
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def begin(tmp_path):
    """Start a process that takes the lock, and then sleeps; all are killed at the end."""
    started = []

    def begin(*arguments, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, *arguments],
            cwd=tmp_path,
            env=environment(tmp_path),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **options,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _kill(process):
    process.kill()
    process.wait()


@pytest.mark.parametrize("options", [{}, {"preexec_fn": lambda: os.close(0)}], ids=["", "no standard input"])
def test_the_second_is_refused_in_one_line_that_names_the_first(begin, options):
    first = begin(**options)
    assert first.stdout.readline() == "held\n"
    second = begin()
    said = second.communicate()[1]
    assert second.returncode == 1
    assert len(said.splitlines()) == 1
    assert f"process {first.pid} " in said
    assert "at work since" in said


def test_a_kill_frees_the_lock_and_a_lock_of_snakemake_is_removed_with_it(begin, tmp_path):
    first = begin()
    assert first.stdout.readline() == "held\n"
    (tmp_path / "state/locks").mkdir()
    (tmp_path / "state/locks/0.output.lock").write_text("a.csv\n")
    _kill(first)
    assert begin().stdout.readline() == "held\n"
    assert not (tmp_path / "state/locks").exists()


def test_jobs_that_a_killed_run_left_behind_are_waited_for(begin):
    first = begin("job")
    assert first.stdout.readline() == "held\n"
    _kill(first)
    second = begin()
    assert "waiting for the jobs" in second.stderr.readline()
    time.sleep(0.5)
    assert second.poll() is None
    os.killpg(first.pid, signal.SIGKILL)  # its job
    assert second.stdout.readline() == "held\n"
