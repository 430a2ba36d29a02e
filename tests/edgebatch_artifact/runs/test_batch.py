"""A batch of settings: what fails leaves the others be, and what is stored is not computed again."""

import errno
import json
import re
import shlex
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.runs import batch, simulate
from edgebatch_artifact.runs.batch_data import Batch
from edgebatch_artifact.runs.plan import Plan, make_plan, store
from edgebatch_artifact.runs.result_file import read_run
from edgebatch_artifact.storage.files import no_room
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT


def _plan() -> Plan:
    """The plan of the working directory, stored."""
    plan = make_plan(Path("conf"), Path("results"), "full")
    store(plan, Path("results"))
    return plan


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A project whose four settings are planned, but not simulated."""
    folder = tmp_path_factory.mktemp("planned")
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("experiment"))
    (folder / "conf/experiment").mkdir()
    (folder / "conf/experiment/mine.yaml").write_text(GOOD)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        _plan()
    return folder


@pytest.fixture
def project(planned, tmp_path, monkeypatch):
    """A copy of it as working directory, with its one batch."""
    folder = shutil.copytree(planned, tmp_path / "copy")
    monkeypatch.chdir(folder)
    (found,) = _plan().batches.values()
    assert len(found.runs) == 4
    return found


def _run(found: Batch, monkeypatch):
    """Exit status of the job that the workflow starts for a batch."""
    file = Path("results/batches") / found.name
    arguments = [f"{file}.json", f"{file}.done", "--experiments", "results/experiments"]
    monkeypatch.setattr(sys, "argv", ["batch", *arguments])
    return batch.main()


def _results(found):
    return [Path(run.result) for run in found.runs]


def test_a_batch_stores_every_result_and_then_its_marker(project, monkeypatch, capsys):
    assert _run(project, monkeypatch) == 0
    for run in project.runs:
        assert read_run(Path(run.result))["code"] == run.code
    assert Path(f"results/batches/{project.name}.done").exists()
    assert "4 of all 4 settings done" in capsys.readouterr().err


def test_a_batch_logs_the_seconds_of_each_setting(project, monkeypatch, capsys):
    assert _run(project, monkeypatch) == 0
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["run"] for entry in logged] == [path.stem for path in _results(project)]
    for entry in logged:
        assert 0 < entry["scheduler"] + entry["workload"] <= entry["total"]
        assert entry["process"] > 0


def test_a_setting_has_the_same_bytes_in_a_batch_and_alone(project, monkeypatch):
    assert _run(project, monkeypatch) == 0
    last = project.runs[-1]
    alone = replace(last, result=f"alone/{Path(last.result).name}")
    monkeypatch.setattr(sys, "argv", shlex.split(alone.command())[2:])
    assert simulate.main() == 0
    assert Path(alone.result).read_bytes() == Path(last.result).read_bytes()


@pytest.mark.parametrize("at", [0, 2])
def test_a_setting_that_fails_leaves_the_others_done_and_names_how_to_repeat_it(
    project, monkeypatch, capsys, at
):
    bad = project.runs[at]
    good = Path(bad.setting).read_text()
    Path(bad.setting).write_text("{}")
    assert _run(project, monkeypatch) == 1
    assert [path.exists() for path in _results(project)] == [run is not bad for run in project.runs]
    assert not Path(f"results/batches/{project.name}.done").exists()
    told, done = capsys.readouterr().err.splitlines()
    assert told.startswith(f"artifact: {bad.words}: {bad.setting}: ")
    assert done == "3 of all 4 settings done"
    Path(bad.setting).write_text(good)
    command = shlex.split(told.partition("to repeat it: ")[2])
    assert command[:3] == ["python", "-m", "edgebatch_artifact.runs.simulate"]
    monkeypatch.setattr(sys, "argv", command[2:])
    assert simulate.main() == 0
    assert read_run(Path(bad.result))["code"] == bad.code


def test_whatever_a_scheduler_raises_is_told_in_one_line_and_the_others_go_on(project, monkeypatch, capsys):
    real, calls = batch.simulate_file, []

    def sometimes(setting, *rest):
        calls.append(setting)
        if len(calls) == 2:
            raise ZeroDivisionError("float\ndivision")
        return real(setting, *rest)

    monkeypatch.setattr(batch, "simulate_file", sometimes)
    assert _run(project, monkeypatch) == 1
    assert sum(path.exists() for path in _results(project)) == 3
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert "ZeroDivisionError: float\\ndivision" in told[0]


def test_a_result_that_is_stored_is_not_computed_again(project, monkeypatch, capsys):
    assert _run(project, monkeypatch) == 0
    capsys.readouterr()
    times = [path.stat().st_mtime_ns for path in _results(project)]
    Path(project.runs[1].result).unlink()
    assert _run(project, monkeypatch) == 0
    (logged,) = capsys.readouterr().out.splitlines()
    assert json.loads(logged)["run"] == Path(project.runs[1].result).stem
    again = [path.stat().st_mtime_ns for path in _results(project)]
    assert [a == b for a, b in zip(again, times, strict=True)] == [True, False, True, True]


DAMAGE = {
    "cut short": lambda text: text[: len(text) // 2],
    "another format": lambda text: text.replace('"edgebatch-run/2"', '"edgebatch-run/0"'),
    "an edited number": lambda text: text.replace('"seed": 1', '"seed": 2'),
    "empty": lambda text: "",
    "another code": lambda text: text.replace('"code": "', '"code": "0'),
    "another id": lambda text: text.replace('"id": "', '"id": "0'),
    "an edited setting": lambda text: text.replace('"epochs": 1', '"epochs": 2'),
    "no replicates": lambda text: json.dumps(json.loads(text) | {"replicates": []}, indent=1) + "\n",
    "not UTF-8": lambda text: "\udcff" + text,
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_result_that_is_not_as_it_was_stored_is_refused_and_computed_again_with_a_line(
    project, monkeypatch, capsys, how
):
    assert _run(project, monkeypatch) == 0
    path = _results(project)[0]
    text = path.read_text()
    damaged = DAMAGE[how](text)
    assert damaged != text
    path.write_text(damaged, errors="surrogateescape")
    with pytest.raises(InputError, match="simulates it anew"):
        read_run(path)
    capsys.readouterr()
    assert _run(project, monkeypatch) == 0
    assert path.read_text() == text
    told, _ = capsys.readouterr().err.splitlines()
    assert told == f"artifact: {path}: not as it was stored; simulating it again"


def test_a_plan_marks_the_batches_whose_results_are_all_stored_and_no_others(project, monkeypatch):
    marker = Path(f"results/batches/{project.name}.done")
    assert not marker.exists()
    assert _run(project, monkeypatch) == 0
    marker.unlink()
    _plan()
    assert marker.exists()
    _results(project)[0].unlink()
    _plan()
    assert not marker.exists()


def test_a_plan_names_the_batches_with_a_damaged_result_and_mends_its_own_files(project, monkeypatch):
    assert _run(project, monkeypatch) == 0
    assert _plan().damaged() == []
    planned = [Path(project.runs[0].setting), Path(f"results/batches/{project.name}.json")]
    planned.append(Path("results/experiments/mine.json"))
    texts = [path.read_text() for path in planned]
    for path in (_results(project)[0], *planned):
        path.write_text(path.read_text()[:-9])
    assert _plan().damaged() == [project.name]
    assert [path.read_text() for path in planned] == texts


@pytest.mark.parametrize(
    "error", [no_room(Path("run.json")), OSError(errno.ENOSPC, "No space left on device")]
)
def test_a_full_disk_ends_a_batch_in_one_line(project, monkeypatch, capsys, error):
    calls = []

    def full(setting, *rest):
        calls.append(setting)
        raise error

    monkeypatch.setattr(batch, "simulate_file", full)
    assert _run(project, monkeypatch) == 2
    assert len(calls) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert re.match(r"artifact: .*: found a full disk, expected room", told)


def test_a_setting_that_is_not_the_one_that_was_planned_is_no_result(project, monkeypatch, capsys):
    first, second = project.runs[:2]
    Path(first.setting).write_text(Path(second.setting).read_text())
    assert _run(project, monkeypatch) == 1
    assert f"{first.setting}: found another setting" in capsys.readouterr().err
