"""Which command made which file, as Snakemake and the plan have it."""

import subprocess
from pathlib import Path

import pytest

from edgebatch import InputError
from edgebatch_artifact.archive import provenance
from edgebatch_artifact.archive.provenance import Job, read_summary, recorded_jobs
from edgebatch_artifact.runs.plan import Plan, partition
from edgebatch_artifact.runs.result_file import result_path
from edgebatch_artifact.runs.simulate import repeat_command
from edgebatch_artifact.settings.experiments.cache import Grid
from tests.edgebatch_artifact.experiments import make_experiment

HEAD = "output_file\tdate\trule\tlog-file(s)\tinput-file(s)\tshellcmd\tstatus\tplan"
DATA = "results/experiments/mine.json"
STEPS = "python -m edgebatch_artifact.steps"


@pytest.fixture
def plan():
    """The plan of one experiment of two settings, all simulated."""
    experiments = {"mine": make_experiment(axes=[{"load": 1}, {"load": 2}])}
    grid = Grid(experiments, None, {}, "")
    return Plan("", "results", grid, partition(experiments), {})


def _row(file, rule="draw", inputs="numbers.csv", command="draw", status="ok", plan="no update"):
    return "\t".join((file, "Thu Jan 1 00:00:00 2026", rule, "log", inputs, command, status, plan))


def _results(plan):
    return tuple(sorted(str(result_path(Path("results"), run.result)) for run in plan.runs))


def test_a_summary_gives_each_job_once_with_all_that_it_wrote(plan):
    rows = [_row("b.pdf"), _row("b.png"), _row("a.pdf", inputs="x.csv,a.csv")]
    assert read_summary(["Building DAG of jobs...", HEAD, *rows], plan) == [
        Job("draw", "draw", ("numbers.csv",), ("b.pdf", "b.png"), "b.pdf"),
        Job("draw", "draw", ("a.csv", "x.csv"), ("a.pdf",), "a.pdf"),
    ]


@pytest.mark.parametrize(
    ("step", "declared", "read"),
    [
        (f"draw {DATA} numbers.csv", "numbers.csv", {DATA}),
        (f"collect {DATA} a.csv", "conf/claims.yaml", {DATA, "results of mine"}),
        ("report results . workflow/report full", "a.png", {DATA}),
        ("conclude results .", "conf/config.yaml", {DATA, "results/nominal.json"}),
        ("record figures/platform.json a.csv", "a.csv", set()),
    ],
)
def test_a_job_has_read_what_is_declared_and_what_its_step_reads_besides(plan, step, declared, read):
    (job,) = read_summary([HEAD, _row("out", inputs=declared, command=f"{STEPS} {step}")], plan)
    besides = read - {"results of mine"}
    results = _results(plan) if "results of mine" in read else ()
    assert job.inputs == tuple(sorted({declared, *besides, *results}))


@pytest.fixture
def snakemake(monkeypatch):
    """Let Snakemake tell a summary of one drawing; returns what it is to say, to be changed."""
    says = {"returncode": 0, "stdout": "\n".join([HEAD, _row("a.pdf")]), "stderr": ""}
    monkeypatch.setattr(
        provenance.subprocess, "run", lambda *rest, **more: subprocess.CompletedProcess("", **says)
    )
    return says


def test_every_setting_is_a_job_with_the_command_that_repeats_it_alone(plan, snakemake):
    drawing, *simulations = recorded_jobs(plan)
    assert drawing.outputs == ("a.pdf",)
    assert tuple(job.outputs[0] for job in simulations) == _results(plan)
    commands = {repeat_command(f"{DATA} {run.id}") for run in plan.runs}
    assert {job.command for job in simulations} == commands
    assert {job.inputs for job in simulations} == {(DATA,)}
    assert {job.rule for job in simulations} == {"simulate"}


def test_without_all_results_nothing_is_recorded(plan, snakemake):
    (batch,) = plan.batches.values()
    missing = batch.runs[1:]
    plan.missing[batch.name] = missing
    path = result_path(Path("results"), missing[0].result)
    with pytest.raises(InputError, match=rf"^{path}: found no result, .*run make reproduce"):
        recorded_jobs(plan)


def test_a_workflow_that_cannot_be_read_is_told_with_the_last_line_it_says(plan, snakemake):
    snakemake |= {"returncode": 1, "stderr": "Traceback\nSyntaxError in Snakefile\n"}
    with pytest.raises(InputError, match="--detailed-summary: found SyntaxError in Snakefile, expected a"):
        recorded_jobs(plan)


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (_row("a.pdf", status="missing", plan="update pending"), "missing"),
        (_row("a.pdf", plan="update pending"), "update pending"),
        (_row("a.pdf", status="params changed"), "params changed"),
        (_row("a.pdf", command="-"), "no record"),
    ],
)
def test_a_file_that_is_not_up_to_date_is_refused_by_name(plan, row, found):
    with pytest.raises(InputError, match=rf"^a\.pdf: found {found}"):
        read_summary([HEAD, row], plan)
