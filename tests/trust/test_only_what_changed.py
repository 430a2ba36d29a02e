"""What runs again after a change: only what the change can have altered."""

import re
import shutil
import sys

import pytest

from edgebatch_artifact.runs.plan import Options, make_plan
from tests.refusals.refused import contents
from tests.workflow.checkout import copy_without_experiments, execute, jobs, snakemake

TARGETS = ("figures/a.pdf", "figures/b.pdf")

EXPERIMENT = """\
# @package _global_
hydra:
  sweeper:
    params:
      workload.arrival_rate: {rates}
      scheduler: dftsp,static_batching

simulation: {{epochs: 1, seeds: 2}}

figure:
  title: Load
  caption: Throughput against load.
  draw: lines
  x: {{key: workload.arrival_rate, label: Arrival rate (requests/s)}}
  y: {{columns: {{throughput_per_s: Throughput}}, label: Throughput (requests/s)}}
  lines: scheduler
"""


def _sweep(folder, experiment, rates):
    (folder / f"conf/experiment/{experiment}.yaml").write_text(EXPERIMENT.format(rates=rates))


def _edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _runs(folder):
    """The results there are, with the time at which each was written."""
    return {path.stem: path.stat().st_mtime_ns for path in (folder / "results/runs").glob("*.json")}


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """A folder with two figures that share two of their eight settings."""
    folder = copy_without_experiments(tmp_path_factory.mktemp("first") / "copy")
    _sweep(folder, "a", "10,20")
    _sweep(folder, "b", "20,30")
    snakemake(folder, *TARGETS)
    return folder


@pytest.fixture
def folder(first_run, tmp_path):
    """A copy of the first run, to change."""
    return shutil.copytree(first_run, tmp_path / "copy")


def test_settings_that_two_figures_share_are_simulated_once(first_run):
    assert len(_runs(first_run)) == 6
    assert all((first_run / target).stat().st_size for target in TARGETS)


def test_nothing_runs_when_nothing_has_changed(folder):
    assert jobs(folder, *TARGETS) == {}


def test_one_more_value_in_one_figure_adds_its_settings_and_redraws_that_figure(folder):
    before = _runs(folder)
    _sweep(folder, "a", "10,20,40")
    assert jobs(folder, *TARGETS) | {"simulate": 0} == {"simulate": 0, "collect": 1, "draw": 1}
    said = snakemake(folder, *TARGETS)
    assert len(re.findall("Simulating a, .*: 1 setting$", said, re.M)) == 2
    after = _runs(folder)
    assert len(after) == len(before) + 2
    assert {run: after[run] for run in before} == before


def test_edited_comments_and_docstrings_run_nothing(folder):
    scheduler = folder / "src/edgebatch/schedulers/static_batching.py"
    _edit(scheduler, '"""Static batching', '"""Another docstring')
    _edit(scheduler, "def worst_case", "# A remark on what follows.\n\n\ndef worst_case")
    _edit(folder / "src/edgebatch/metrics.py", '"""Measure one run', '"""Weigh one run')
    _edit(folder / "src/edgebatch_artifact/publish/figures.py", '"""Make the figure', '"""Paint the figure')
    assert jobs(folder, *TARGETS) == {}


REWORDED = {
    "src/edgebatch/io/command_line.py": ("tells more", "says more"),
    "src/edgebatch_artifact/settings/hydra_errors.py": ("what Hydra can compose", "what Hydra composes"),
    "src/edgebatch_artifact/settings/compose.py": (
        "a reference that cannot be read",
        "no reference",
    ),
    "src/edgebatch_artifact/storage/files.py": ("a file that can be written", "a writable file"),
    "src/edgebatch_artifact/steps.py": ("what snakemake makes first", "what snakemake makes"),
    "src/edgebatch_artifact/cli.py": ("the folder of the configuration", "the configuration"),
}


@pytest.mark.parametrize("path", REWORDED)
def test_a_reworded_refusal_runs_nothing(folder, path):
    _edit(folder / path, *REWORDED[path])
    assert jobs(folder, *TARGETS) == {}


def test_a_dry_run_writes_nothing_after_an_edit_of_the_configuration(folder):
    _sweep(folder, "a", "10,20,40")
    before = contents(folder)
    assert jobs(folder, *TARGETS)["draw"] == 1
    assert contents(folder) == before


def test_an_edited_scheduler_runs_its_settings_and_when_reverted_the_old_serve(folder):
    tables = tuple(target.replace(".pdf", ".csv") for target in TARGETS)
    scheduler = folder / "src/edgebatch/schedulers/static_batching.py"
    before, runs = [(folder / table).read_bytes() for table in tables], _runs(folder)
    old, new = "upper_bound=bound)", "upper_bound=bound + 0)"
    _edit(scheduler, old, new)
    assert jobs(folder, *TARGETS) | {"simulate": 0} == {"simulate": 0, "collect": 2, "draw": 2}
    snakemake(folder, *tables)
    edited = _runs(folder)
    assert len(edited) == len(runs) + 3
    assert {run: edited[run] for run in runs} == runs
    _edit(scheduler, new, old)
    assert "simulate" not in jobs(folder, *TARGETS)
    assert [(folder / table).read_bytes() for table in tables] == before


def test_keys_of_yaml_files_in_another_order_run_nothing(folder):
    for path in (folder / "conf").rglob("*.yaml"):
        head, *blocks = re.split(r"(?m)^(?=\w)", path.read_text(encoding="utf-8"))
        if path.name != "claims.yaml":
            path.write_text("".join([head, *reversed(blocks)]), encoding="utf-8")
    title, caption = "  title: Load\n", "  caption: Throughput against load.\n"
    _edit(folder / "conf/experiment/a.yaml", title + caption, caption + title)
    assert jobs(folder, *TARGETS) == {}


def test_a_fresh_clone_with_results_simulates_nothing(first_run, tmp_path):
    clone = tmp_path / "clone"
    ignored = shutil.ignore_patterns(".snakemake")
    shutil.copytree(first_run, clone, ignore=ignored, copy_function=shutil.copy)
    assert "simulate" not in jobs(clone, *TARGETS)


def test_a_fresh_clone_with_other_results_does_not_pass_off_its_stale_figures(folder, tmp_path):
    _sweep(folder, "a", "10,20,40")
    snakemake(folder, *TARGETS)
    clone = tmp_path / "clone"
    shutil.copytree(folder, clone, ignore=shutil.ignore_patterns(".snakemake"), copy_function=shutil.copy)
    _sweep(clone, "a", "10,40")
    for path in (clone / "results").glob("*"):
        if path.name != "runs":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    # figures newer than everything else, as a checkout may have them
    for path in (clone / "figures").iterdir():
        path.touch()
    assert jobs(clone, "--until", "draw")["draw"] >= 1


def test_runs_that_are_all_that_is_left_of_the_results_serve_again(folder):
    for path in (folder / "results").iterdir():
        if path.name != "runs":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert "simulate" not in jobs(folder, *TARGETS)


def test_a_result_that_is_deleted_is_simulated_again_alone(folder):
    before = _runs(folder)
    (folder / f"results/runs/{min(before)}.json").unlink()
    snakemake(folder, "--until", "draw")
    after = _runs(folder)
    assert {run for run in before if after[run] != before[run]} == {min(before)}


def test_a_setting_that_fails_leaves_the_others_done_and_the_figure_unmade(folder):
    before = _runs(folder)
    _sweep(folder, "a", "10,20,40,50")
    planned = make_plan(folder / "conf", folder / "results", Options()).runs
    bad = min(run.result for run in planned if run.result not in before)
    (folder / f"results/runs/{bad}.json").mkdir()  # so that nothing can be stored
    figure = (folder / "figures/a.csv").read_bytes()
    done = execute(folder, sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", *TARGETS)
    assert done.returncode != 0
    repeat = f"python -m edgebatch_artifact.steps simulate results/experiments/a.json {bad.partition('-')[0]}"
    assert f"again: {repeat}" in done.stdout
    assert len(_runs(folder)) - 1 == len(before) + 3
    assert (folder / "figures/a.csv").read_bytes() == figure


def test_a_job_on_another_machine_reads_the_plan_and_writes_nothing(folder):
    (folder / f"results/runs/{min(_runs(folder))}.json").unlink()
    before = {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*")}
    jobs(folder, "--mode", "remote", *TARGETS)
    assert {path: path.stat().st_mtime_ns for path in (folder / "results").rglob("*")} == before
