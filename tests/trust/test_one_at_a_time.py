"""Two runs at once in one folder: the second is refused, in one line, for as long as the first is alive."""

import json
import re
import time

import pytest

from tests.trust.project import command, small_project, start
from tests.workflow.checkout import execute

LINE = r"artifact: \.snakemake/run\.lock: found process (\d+) on .+ at work since [\d-]+ [\d:+]+: .*snakemake"


def _wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture
def busy(tmp_path):
    """A run whose only job sleeps until it is killed, or a file says that it may end."""
    folder = small_project(tmp_path / "copy")
    code = folder / "src/edgebatch_artifact/runs/batch.py"
    waiting = "\nwhile not Path('go').exists():\n    time.sleep(0.1)\n"
    text = code.read_text()
    code.write_text(text.replace('\nif __name__ == "__main__":', f'{waiting}\nif __name__ == "__main__":'))
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
    (line,) = [line for line in done.stdout.splitlines() if not line.startswith("Using workflow specific")]
    match = re.match(LINE, line)
    assert match, line
    assert int(match[1]) == process.pid
    assert sorted((folder / "results").rglob("*")) == before


def test_a_lock_is_not_taken_from_a_run_that_is_alive(busy):
    folder, process = busy
    assert re.search(LINE, execute(folder, *command(), "--unlock").stdout)
    assert process.poll() is None


def test_a_dry_run_is_no_second_run(busy):
    folder, _ = busy
    done = execute(folder, *command(), "--dry-run")
    assert done.returncode == 0, done.stdout


def test_after_a_kill_the_next_run_waits_for_the_jobs_left_behind_and_goes_on(busy):
    folder, process = busy
    process.kill()
    process.wait()
    log = folder.parent / "next.log"
    following = start(folder, log)
    _wait_for(lambda: "artifact: waiting for the jobs that a killed run left at work" in log.read_text())
    time.sleep(1)
    assert "Building DAG" not in log.read_text()
    (folder / "go").touch()
    _wait_for(lambda: "Building DAG" in log.read_text())
    following.kill()
    following.wait()


def test_the_lock_names_who_holds_it(busy):
    folder, process = busy
    assert json.loads((folder / ".snakemake/run.lock").read_text())["pid"] == process.pid
