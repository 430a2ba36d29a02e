"""A setting that fails, or a job that dies, leaves the others done; the end of the run lists what failed."""

import re
import shlex
import sys

import pytest

from tests.trust.project import SMOKE, small_project
from tests.workflow.checkout import execute

TARGET = "results/smoke/figures/throughput_vs_arrival_rate.csv"
SETTINGS = 12
HARM = {
    "raises": ("raise ZeroDivisionError('no luck')", "ZeroDivisionError: no luck"),
    "dies": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "its job ended before it was done"),
}


@pytest.fixture(params=HARM)
def failing(request, tmp_path):
    """A project in which one setting of StB fails; what mends it; and the reason to be told."""
    harm, reason = HARM[request.param]
    folder = small_project(tmp_path / "copy")
    scheduler = folder / "src/edgebatch/schedulers/static_batching.py"
    text = scheduler.read_text()
    old = "    size = worst_case_batch_size(instance) if"
    condition = "instance.system.llm.hidden_size == 5120 and instance.size > 50"
    assert old in text
    scheduler.write_text(text.replace(old, f"    if {condition}:\n        {harm}\n{old}"))
    return folder, lambda: scheduler.write_text(text), reason


def test_the_end_of_the_run_lists_what_failed_with_log_and_command(failing):
    folder, mend, reason = failing
    done = execute(folder, sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", TARGET, *SMOKE)
    assert done.returncode != 0
    end = done.stdout.partition(" failed; the same command goes on from here.\n")[2]
    listed = re.findall(r"^(\S.*?\)): (.*)\n    log: (.*)\n    again: (.*)$", end, re.M)
    assert 1 <= len(listed) <= 4
    for words, why, log, _ in listed:
        assert re.search(r"StB.*\(throughput_vs_arrival_rate\)$", words), words
        assert reason in why
        assert (folder / log).exists()
    stored = len(list((folder / "results/runs").glob("*.json")))
    assert stored + len(listed) == SETTINGS
    mend()
    for *_, again in listed:
        assert execute(folder, *shlex.split(again)).returncode == 0
    assert len(list((folder / "results/runs").glob("*.json"))) == SETTINGS
