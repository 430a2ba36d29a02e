"""Two runs at once in one folder: the second is refused, in one line, for as long as the first is alive."""

import re
import time

import pytest

from tests.trust.project import command, small_project, start
from tests.workflow.checkout import execute

LINE = r"artifact: results/run\.lock: found process (\d+) on .+ since [\d-]+ [\d:+]+: .*snakemake"
WAITING = "artifact: waiting for the jobs of a run that was killed"
WORK = "    with job_at_work(RESULTS):\n"
HANG = """\
        import time
        while name == "simulate" and not Path("go").exists():
            time.sleep(1)
"""


def _wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def busy(tmp_path):
    """A run whose jobs that simulate sleep until they are killed, or a file says that they may end."""
    folder = small_project(tmp_path / "copy")
    code = folder / "src/edgebatch_artifact/steps.py"
    text = code.read_text()
    assert WORK in text
    code.write_text(text.replace(WORK, WORK + HANG))
    process = start(folder, tmp_path / "run.log", 1)
    logs = folder / "results/logs/simulate"
    _wait_for(lambda: logs.exists() and list(logs.iterdir()))
    yield folder, process
    (folder / "go").touch()
    process.kill()
    process.wait()


def test_a_second_run_is_refused_in_one_line_that_names_the_first(busy):
    folder, process = busy
    before = sorted((folder / "results").rglob("*"))
    done = execute(folder, *command())
    assert done.returncode != 0
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("artifact:")]
    match = re.match(LINE, line)
    assert match, line
    assert int(match[1]) == process.pid
    assert "Traceback" not in done.stdout
    assert sorted((folder / "results").rglob("*")) == before
    assert process.poll() is None


@pytest.mark.parametrize("question", ["--dry-run", "--summary", "--list-rules", "--dag"])
def test_a_question_is_no_second_run(busy, question):
    folder, _ = busy
    done = execute(folder, *command(), question)
    assert done.returncode == 0, done.stdout


def test_the_run_after_a_kill_waits_for_jobs_left_behind_and_goes_on(busy):
    folder, process = busy
    process.kill()
    process.wait()
    log = folder.parent / "next.log"
    following = start(folder, log, 1)
    _wait_for(lambda: WAITING in log.read_text())
    time.sleep(1)
    assert "Simulating" not in log.read_text()
    (folder / "go").touch()
    _wait_for(lambda: "Simulating" in log.read_text())
    following.kill()
    following.wait()
