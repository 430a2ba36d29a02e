"""Every command ends as a Unix program does, whatever becomes of its streams."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.workflow.checkout import ROOT, environment

SHORT = "simulation.epochs=2 simulation.seeds=2"
COMMANDS = {
    "simulate": f"-m edgebatch_artifact.cli simulate {SHORT}",
    "multirun": f"-m edgebatch_artifact.runs.multirun {SHORT}",
    "solve": "-m edgebatch solve docs/example.json",
    "schedulers": "-m edgebatch schedulers",
}


def _shell(words, redirected="", **variables):
    """A command in a shell: its status, its output and what it says."""
    return subprocess.run(
        ["bash", "-c", f'"{sys.executable}" {words} {redirected}'],
        cwd=ROOT,
        env=environment(ROOT) | variables,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_full_disk_behind_standard_output_is_one_line(name):
    done = _shell(COMMANDS[name], "> /dev/full")
    assert done.returncode == 1
    assert b"standard output: no space left on device" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_standard_output_is_one_line(name):
    done = _shell(COMMANDS[name], ">&-")
    assert done.returncode == 1
    assert b"standard output: bad file descriptor" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_closed_input_and_errors_change_nothing(name):
    done = _shell(COMMANDS[name], "<&- 2>&-")
    assert done.returncode == 0
    assert done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_has_gone_ends_a_command_without_a_word(name):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, *COMMANDS[name].split()],
        cwd=ROOT,
        env=environment(ROOT),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == b""


def test_what_a_terminal_cannot_show_is_replaced():
    done = _shell(COMMANDS["simulate"], PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert rb" \xb1 " in done.stdout


def test_without_docstrings_schedulers_are_listed_all_the_same():
    done = _shell(COMMANDS["schedulers"], PYTHONOPTIMIZE="2", PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0
    assert b"dftsp" in done.stdout


def test_ctrl_c_ends_a_command_with_130_and_no_traceback():
    words = ["-m", "edgebatch_artifact.cli", "simulate", "simulation.epochs=100000", "simulation.seeds=99"]
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment(ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    time.sleep(4)  # it is at work for minutes
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert said == b""
