import json
from types import SimpleNamespace

import pytest

from edgebatch_artifact.runs.batch_data import Batch, Run
from edgebatch_artifact.runs.failures import of_batch, of_jobs, summary
from edgebatch_artifact.storage.sealed import seal


@pytest.fixture
def batch(tmp_path):
    """A batch of three settings, of which the first has a result."""
    files = [tmp_path / f"{number}.json" for number in range(3)]
    files[0].write_text(seal({"a": 1}, "0"))
    return Batch(("mine",), tuple(Run("setting.json", str(file), "c0de", "S", file.stem) for file in files))


@pytest.fixture
def log(tmp_path):
    """What its job logged: a print of somebody's, a result, a failure, and a line that a kill cut short."""
    lines = [{"run": "0", "total": 1.0}, {"run": "1", "failed": "ValueError: no"}]
    path = tmp_path / "batch.log"
    path.write_text("3\n" + "".join(json.dumps(line) + "\n" for line in lines) + '{"run": "2", "fai')
    return path


def test_settings_without_a_result_are_listed_with_the_reason_that_was_logged(batch, log):
    found = of_batch(batch, log)
    assert [(failure.what, failure.why.partition(",")[0]) for failure in found] == [
        ("1", "ValueError: no"),
        ("2", "its job ended before it was done"),
    ]
    assert [failure.command for failure in found] == [run.command() for run in batch.runs[1:]]
    assert {failure.log for failure in found} == {str(log)}


def test_a_job_that_left_no_log_has_all_of_its_settings_listed(batch, tmp_path):
    assert len(of_batch(batch, tmp_path / "none.log")) == 2


def test_a_job_of_another_rule_is_listed_with_what_makes_its_file(batch):
    job = SimpleNamespace(
        rule=SimpleNamespace(name="draw"), wildcards=["mine"], log=["draw.log"], output=["mine.pdf"]
    )
    (failure,) = of_jobs([job], {"b": batch})
    assert (failure.what, failure.log) == ("draw mine", "draw.log")
    assert failure.command == "snakemake --cores 1 mine.pdf"
    assert of_jobs([SimpleNamespace(jobs=[job])], {"b": batch}) == [failure]


def test_the_summary_has_every_failure_with_log_and_command(batch, log):
    text = summary(of_batch(batch, log))
    assert text.startswith("2 failed")
    for run in batch.runs[1:]:
        assert f"\n    again: {run.command()}\n" in text
    assert text.count(f"    log: {log}\n") == 2
