"""A setting that fails, or a job that dies, leaves the others done; the end of the run lists what failed."""

import re
import shlex
import sys

import pytest

from tests.trust.project import SMOKE, small_project
from tests.workflow.checkout import execute

TARGET = "results/smoke/figures/throughput_vs_arrival_rate.csv"
REASONS = {
    "raises": ("raise ZeroDivisionError('no luck')", "ZeroDivisionError: no luck", 1),
    "dies": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "its job ended before it was done",
        3,
    ),
}


@pytest.fixture(params=REASONS)
def failing(request, tmp_path):
    """A project in which one setting of StB's batch of six fails, in a way."""
    harm, reason, lost = REASONS[request.param]
    folder = small_project(tmp_path / "copy")
    scheduler = folder / "src/edgebatch/schedulers/static_batching.py"
    text = scheduler.read_text()
    at = re.search(r"\n    size = worst_case", text)
    assert at
    condition = "instance.system.llm.hidden_size == 5120 and instance.size > 200"
    scheduler.write_text(f"{text[: at.start()]}\n    if {condition}:\n        {harm}{text[at.start() :]}")
    return folder, scheduler, text, reason, lost


def test_the_end_of_the_run_lists_what_failed_with_log_and_command(failing):
    folder, scheduler, whole, reason, _ = failing
    done = execute(folder, sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", TARGET, *SMOKE)
    assert done.returncode != 0
    end = done.stdout[done.stdout.rindex(" failed; the same command goes on") - 4 :]
    listed = re.findall(r"^(\S.*): (.*)\n    log: (.*)\n    again: (.*)$", end, re.M)
    assert len(listed) >= 1
    for words, why, log, again in listed:
        assert re.search(r"StB.*\(throughput_vs_arrival_rate\)$", words), words
        assert reason in why
        assert (folder / log).exists()
        result = folder / shlex.split(again)[4]
        assert not result.exists()
    stored = len(list((folder / "results/runs").glob("*.json")))
    assert stored + len(listed) == 18
    scheduler.write_text(whole)
    assert execute(folder, *shlex.split(listed[0][3])).returncode == 0
    assert (folder / shlex.split(listed[0][3])[4]).exists()
