"""A batch of settings: what fails leaves the others be, and what is stored is not computed again."""

import errno
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from edgebatch import InputError, schedulers
from edgebatch.metrics import METRICS, draw, replicate
from edgebatch.setting import read_setting
from edgebatch_artifact import steps
from edgebatch_artifact.runs import simulate
from edgebatch_artifact.runs.plan import Options, Plan, make_plan
from edgebatch_artifact.runs.result_file import read_result, result_path
from edgebatch_artifact.settings.experiments.cache import store_grid
from edgebatch_artifact.storage.files import no_room
from tests.edgebatch_artifact.runs.test_result_file import DAMAGE
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import copy_conf

RESULTS, FILE = Path("results"), "results/experiments/mine.json"
REPLICATES_OF = simulate.simulate_setting


def _plan() -> Plan:
    """The plan of the working directory."""
    return make_plan(Path("conf"), RESULTS, Options())


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A project whose four settings are planned, but not simulated."""
    folder = tmp_path_factory.mktemp("planned")
    copy_conf(folder / "conf")
    (folder / "conf/experiment").mkdir()
    (folder / "conf/experiment/mine.yaml").write_text(GOOD)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        store_grid(_plan().grid, RESULTS)
    return folder


@pytest.fixture
def batch(planned, tmp_path, monkeypatch):
    """The one batch of a copy of it, which is the working directory."""
    monkeypatch.chdir(shutil.copytree(planned, tmp_path / "copy"))
    (found,) = _plan().batches.values()
    assert len(found.runs) == 4
    return found


def _run(batch):
    """Exit status of the job that the workflow starts for a batch."""
    return steps.main(["simulate", FILE, *(run.id for run in batch.runs)])


def _results(batch):
    return [result_path(RESULTS, run.result) for run in batch.runs]


def _logged(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_batch_stores_every_result(batch, capsys):
    assert _run(batch) == 0
    for run in batch.runs:
        stored = read_result(RESULTS, run.result)
        assert f"{stored['id']}-{stored['code']}" == run.result
        assert [set(replicate) for replicate in stored["replicates"]] == [{"seed", *METRICS}] * 2
    assert "4 of all 4 settings done" in capsys.readouterr().err


def test_each_seed_of_a_result_is_the_run_that_the_library_measures(batch):
    assert _run(batch) == 0
    stored = read_result(RESULTS, batch.runs[0].result)
    setting = read_setting(stored["setting"], "stored")
    scheduler = schedulers.get(setting.scheduler.name)
    epochs = setting.simulation.epochs
    again = [
        {"seed": seed, **replicate(setting, draw(setting, epochs, seed), epochs, scheduler)}
        for seed in (0, 1)
    ]
    assert stored["replicates"] == again


def test_a_batch_logs_the_seconds_of_each_setting(batch, capsys):
    assert _run(batch) == 0
    logged = _logged(capsys.readouterr().out)
    assert [entry["run"] for entry in logged] == [run.result for run in batch.runs]
    for entry in logged:
        assert 0 < entry["scheduler"] + entry["workload"] <= entry["total"]
        assert entry["process"] > 0


def test_a_setting_has_the_same_bytes_in_a_batch_and_alone(batch):
    assert _run(batch) == 0
    path = _results(batch)[-1]
    before = path.read_bytes()
    path.unlink()
    assert steps.main(["simulate", FILE, batch.runs[-1].id]) == 0
    assert path.read_bytes() == before


@pytest.mark.parametrize("at", [0, 2])
def test_a_setting_that_fails_leaves_the_others_done_and_names_its_command(batch, monkeypatch, capsys, at):
    bad = batch.runs[at]
    real = simulate.read_setting

    def fail_one(content, where):
        if where.endswith(bad.id):
            raise InputError("system", "a stone", "an edge node", where)
        return real(content, where)

    monkeypatch.setattr(simulate, "read_setting", fail_one)
    assert _run(batch) == 1
    assert [path.exists() for path in _results(batch)] == [run is not bad for run in batch.runs]
    streams = capsys.readouterr()
    told, done = streams.err.splitlines()
    reason = f"{FILE} {bad.id}: system: found a stone, expected an edge node"
    assert told.startswith(f"artifact: {bad.result}: {reason}; to repeat it: ")
    assert done == "3 of all 4 settings done"
    (failed,) = [entry for entry in _logged(streams.out) if "failed" in entry]
    assert (failed["run"], failed["failed"]) == (bad.result, reason)


@pytest.mark.parametrize("at", [0, 2])
def test_the_command_that_a_failure_names_simulates_that_setting_alone(batch, monkeypatch, capsys, at):
    monkeypatch.setattr(simulate, "simulate_setting", None)  # so that every setting fails
    assert _run(batch) == 1
    monkeypatch.setattr(simulate, "simulate_setting", REPLICATES_OF)
    told = capsys.readouterr().err.splitlines()[at]
    command = shlex.split(told.partition("to repeat it: ")[2])
    assert command[:3] == ["python", "-m", "edgebatch_artifact.steps"]
    assert steps.main(command[3:]) == 0
    assert [path.exists() for path in _results(batch)] == [i == at for i in range(4)]


def test_whatever_a_scheduler_raises_is_told_in_one_line_and_the_others_go_on(batch, monkeypatch, capsys):
    calls = []

    def sometimes(setting):
        calls.append(setting)
        if len(calls) == 2:
            raise ZeroDivisionError("float\ndivision")
        return REPLICATES_OF(setting)

    monkeypatch.setattr(simulate, "simulate_setting", sometimes)
    assert _run(batch) == 1
    assert [path.exists() for path in _results(batch)] == [True, False, True, True]
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert "ZeroDivisionError: float\\ndivision" in told[0]


def test_a_result_that_is_stored_is_not_computed_again(batch, capsys):
    assert _run(batch) == 0
    capsys.readouterr()
    times = [path.stat().st_mtime_ns for path in _results(batch)]
    _results(batch)[1].unlink()
    assert _run(batch) == 0
    (logged,) = _logged(capsys.readouterr().out)
    assert logged["run"] == batch.runs[1].result
    again = [path.stat().st_mtime_ns for path in _results(batch)]
    assert [a == b for a, b in zip(again, times, strict=True)] == [True, False, True, True]


@pytest.mark.parametrize("how", DAMAGE)
def test_a_result_that_is_not_as_it_was_stored_is_simulated_again_with_a_line(batch, capsys, how):
    assert _run(batch) == 0
    path = _results(batch)[0]
    text = path.read_text()
    damaged = DAMAGE[how](text)
    assert damaged != text
    path.write_text(damaged, errors="surrogateescape")
    capsys.readouterr()
    assert _run(batch) == 0
    assert path.read_text() == text
    told, _ = capsys.readouterr().err.splitlines()
    assert told == f"artifact: {path}: not as it was stored; simulating it again"


def test_a_plan_misses_the_results_that_are_not_there_or_damaged_and_no_others(batch):
    assert _plan().missing == {batch.name: batch.runs}
    assert _run(batch) == 0
    assert _plan().missing == {}
    assert _plan().unfinished("mine") == []
    paths = _results(batch)
    paths[0].unlink()
    paths[2].write_text(paths[2].read_text()[:-9])
    assert _plan().missing == {batch.name: (batch.runs[0], batch.runs[2])}
    assert _plan().unfinished("mine") == [batch.name]


@pytest.mark.parametrize(
    "error", [no_room(Path("run.json")), OSError(errno.ENOSPC, "No space left on device")]
)
def test_a_full_disk_ends_a_batch_in_one_line(batch, monkeypatch, capsys, error):
    calls = []

    def full(setting):
        calls.append(setting)
        raise error

    monkeypatch.setattr(simulate, "simulate_setting", full)
    assert _run(batch) == 2
    assert len(calls) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert re.match(r"artifact: .*: found a full disk, expected room", told)


def test_a_log_that_finds_the_disk_full_ends_a_batch_in_one_line(batch, monkeypatch, capsys):
    class Full:
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

        def flush(self):
            pass

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", Full())
        status = _run(batch)
    assert status == 2
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "artifact: the log of this job: found a full disk, " + told[0].partition("full disk, ")[2]
    ]


def test_a_setting_that_is_not_the_one_that_was_planned_is_no_result(batch):
    experiment = _plan().experiments["mine"]
    first, second = (run.id for run in batch.runs[:2])
    experiment.settings[first] = experiment.settings[second]
    logged = []
    assert not simulate.simulate_batch(experiment, [first], RESULTS, Path(FILE), logged.append)
    assert "found another setting" in json.loads(logged[0])["failed"]
    assert not _results(batch)[0].exists()


def test_a_setting_that_the_experiment_does_not_have_is_refused(batch, capsys):
    assert steps.main(["simulate", FILE, "0" * 12]) == 2
    (told,) = capsys.readouterr().err.splitlines()
    assert told == "artifact: command line: ID: found '000000000000', expected a setting of mine"
