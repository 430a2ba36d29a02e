"""What a run could not simulate, as its files alone tell it."""

import json

import pytest

from edgebatch.setting import identity
from edgebatch_artifact.runs.failures import KILLED, failures
from edgebatch_artifact.runs.plan import Batch, Plan, Run
from edgebatch_artifact.runs.result_file import store_result
from edgebatch_artifact.runs.simulate import repeat_command

SETTINGS = [{"number": number} for number in range(3)]


def _batch(*numbers):
    """Runs of numbered settings, called ``setting 0`` and so on."""
    ids = {number: identity(SETTINGS[number]) for number in numbers}
    runs = tuple(Run(id_, f"{id_}-c0de", "DFTSP", f"setting {number}") for number, id_ in ids.items())
    return Batch(("mine",), runs)


def _plan(*batches):
    """A plan that knew of no result when it was made."""
    named = {batch.name: batch for batch in batches}
    return Plan("", "results", None, named, {name: batch.runs for name, batch in named.items()})


@pytest.fixture
def logs(tmp_path):
    (tmp_path / "logs").mkdir()
    return tmp_path / "logs"


def _log(logs, batch):
    """What its job logged: a print of somebody's, a result, a failure, and a line that a kill cut short."""
    first, second, third = (run.result for run in batch.runs)
    lines = [{"run": first, "total": 1.0}, {"run": second, "failed": "ValueError: no"}]
    text = "3\n[1]\n" + "".join(json.dumps(line) + "\n" for line in lines) + f'{{"run": "{third}", "fai'
    (logs / f"{batch.name}.log").write_text(text)


def test_settings_without_a_result_are_listed_with_reason_log_and_command(tmp_path, logs):
    batch = _batch(0, 1, 2)
    _log(logs, batch)
    store_result(tmp_path, batch.runs[0].result, SETTINGS[0], [])
    text = failures(_plan(batch), tmp_path, logs)
    head, *told = text.splitlines()
    assert head == "2 settings failed; the same command goes on from here."
    assert told[0::3] == ["setting 1: ValueError: no", f"setting 2: {KILLED}"]
    assert told[1::3] == [f"    log: {logs / batch.name}.log"] * 2
    commands = [repeat_command(f"results/experiments/mine.json {run.id}") for run in batch.runs[1:]]
    assert told[2::3] == [f"    again: {command}" for command in commands]


def test_a_job_that_left_no_log_has_not_begun_and_is_not_listed(tmp_path, logs):
    assert failures(_plan(_batch(0, 1, 2)), tmp_path, logs) == ""


def test_a_job_that_was_killed_before_it_logged_has_all_of_its_settings_listed(tmp_path, logs):
    batch = _batch(0, 1)
    (logs / f"{batch.name}.log").touch()
    text = failures(_plan(batch), tmp_path, logs)
    assert text.startswith("2 settings failed")
    assert text.count(KILLED) == 2


def test_a_run_whose_settings_all_have_results_has_no_failure(tmp_path, logs):
    batch = _batch(0, 1, 2)
    _log(logs, batch)
    for run, setting in zip(batch.runs, SETTINGS, strict=True):
        store_result(tmp_path, run.result, setting, [])
    assert failures(_plan(batch), tmp_path, logs) == ""


def test_failures_of_several_jobs_are_counted_together_in_order(tmp_path, logs):
    batches = [_batch(2), _batch(0)]
    for batch in batches:
        (logs / f"{batch.name}.log").touch()
    lines = failures(_plan(*batches), tmp_path, logs).splitlines()
    assert lines[0].startswith("2 settings failed")
    assert [line.partition(":")[0] for line in lines[1::3]] == ["setting 0", "setting 2"]


def test_one_failure_is_told_in_the_singular(tmp_path, logs):
    batch = _batch(1)
    (logs / f"{batch.name}.log").touch()
    assert failures(_plan(batch), tmp_path, logs).startswith("1 setting failed;")
