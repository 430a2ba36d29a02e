"""The lock of a folder: one run at a time, freed by whatever ends it."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time

import pytest

from edgebatch import InputError
from edgebatch_artifact.runs.folder_lock import hold_folder, job_at_work
from tests.workflow.checkout import environment

HOLD = """
import sys, time
from pathlib import Path
from edgebatch.errors import InputError
from edgebatch_artifact.runs.folder_lock import hold_folder
try:
    held = hold_folder(Path("results"))
except InputError as error:
    sys.exit(f"refused: {error}")
print("held", flush=True)
time.sleep(60)
"""
WORK = """
import time
from pathlib import Path
from edgebatch_artifact.runs.folder_lock import job_at_work
with job_at_work(Path("results")):
    print("at work", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def begin(tmp_path):
    """Start a process, by default one that holds the folder and sleeps; all are killed at the end."""
    started = []

    def begin(program=HOLD, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", program],
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
    assert f"results/run.lock: found process {first.pid} on " in said
    assert " since " in said


def test_a_kill_frees_the_folder(begin):
    first = begin()
    assert first.stdout.readline() == "held\n"
    _kill(first)
    assert begin().stdout.readline() == "held\n"


def test_jobs_that_a_killed_run_left_behind_are_waited_for(begin):
    first = begin()
    assert first.stdout.readline() == "held\n"
    job = begin(WORK)
    assert job.stdout.readline() == "at work\n"
    _kill(first)
    second = begin()
    assert "waiting for the jobs" in second.stderr.readline()
    time.sleep(0.5)
    assert second.poll() is None
    _kill(job)
    assert second.stdout.readline() == "held\n"


def test_a_job_at_work_keeps_a_new_run_waiting_and_no_other_job(tmp_path):
    hold_folder(tmp_path).close()
    with (
        job_at_work(tmp_path),
        (tmp_path / "jobs.lock").open() as job,
        (tmp_path / "jobs.lock").open() as run,
    ):
        with pytest.raises(BlockingIOError):
            fcntl.flock(run, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert fcntl.flock(job, fcntl.LOCK_SH | fcntl.LOCK_NB) is None


def test_a_job_leaves_no_trace_in_a_folder_that_no_run_has_held(tmp_path):
    with job_at_work(tmp_path / "results"):
        assert not (tmp_path / "results").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_free_once_its_file_is_closed(tmp_path):
    held = hold_folder(tmp_path)
    with pytest.raises(InputError, match=f"found process {os.getpid()} on .*wait for it, or end it"):
        hold_folder(tmp_path)
    held.close()
    hold_folder(tmp_path).close()
