"""A run that is killed at any moment goes on with the same command, to the same bytes."""

import os
import random
import signal
import subprocess

from tests.trust.project import command, differing, published, small_project, start
from tests.workflow.checkout import execute

KILLS = 20
SEED = 20


def _kill(process, whole_group):
    """Kill a run: with all of its jobs, or leaving them behind."""
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def test_a_run_that_is_killed_twenty_times_goes_on_to_the_same_bytes(finished, tmp_path):
    expected, seconds = published(finished[0]), finished[1]
    draw, log = random.Random(SEED), tmp_path / "run.log"
    folder, kills, finished = small_project(tmp_path / "copy"), 0, 0
    while kills < KILLS:
        process = start(folder, log)
        try:
            assert process.wait(draw.uniform(0.2, seconds / 3)) == 0, log.read_text()[-3000:]
        except subprocess.TimeoutExpired:
            _kill(process, whole_group=draw.random() < 0.5)
            kills += 1
        else:
            finished += 1
            assert differing(published(folder), expected) == []
            folder = small_project(tmp_path / f"copy{finished}")  # so that early moments come again
    assert start(folder, log).wait() == 0, log.read_text()[-3000:]
    assert differing(published(folder), expected) == []
    assert list(folder.rglob(".part-*")) == []
    again = execute(folder, *command())
    assert "Nothing to be done" in again.stdout
