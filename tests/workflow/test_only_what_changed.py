"""What runs again after a change: only what the change can have altered."""

import re
import shutil

import pytest

from tests.workflow.checkout import copy_project, jobs, snakemake

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


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Two figures that share two of their eight settings, and what Snakemake says while it makes them."""
    folder = copy_project(tmp_path_factory.mktemp("first") / "copy")
    for path in (folder / "conf/experiment").glob("*.yaml"):
        path.unlink()
    (folder / "conf/claims.yaml").write_text("confidence: 0.95\nclaims: []\n")
    _sweep(folder, "a", "10,20")
    _sweep(folder, "b", "20,30")
    said = snakemake(folder, *TARGETS)
    return folder, said


@pytest.fixture
def folder(first_run, tmp_path):
    """A copy of the first run, to change."""
    return shutil.copytree(first_run[0], tmp_path / "copy")


def test_settings_that_two_figures_share_are_simulated_once(first_run):
    folder, said = first_run
    assert re.search(r"^simulate +6$", said, re.M)
    assert len(list((folder / "results/runs").glob("*.json"))) == 6
    assert all((folder / target).stat().st_size for target in TARGETS)


def test_nothing_runs_when_nothing_has_changed(folder):
    assert jobs(folder, *TARGETS) == {}


def test_one_more_value_in_one_figure_adds_its_settings_and_redraws_that_figure(folder):
    _sweep(folder, "a", "10,20,40")
    assert jobs(folder, *TARGETS) == {"simulate": 2, "collect": 1, "draw": 1}


def test_edited_comments_and_docstrings_run_nothing(folder):
    scheduler = folder / "src/edgebatch/schedulers/static_batching.py"
    _edit(scheduler, '"""StB: static batching', '"""Another docstring: static batching')
    _edit(scheduler, "def worst_case", "# A remark on what follows.\n\n\ndef worst_case")
    _edit(folder / "src/artifact/simulate.py", "# compiled code is", "# machine code is")
    _edit(folder / "src/artifact/figures.py", '"""Draw the figure', '"""Paint the figure')
    assert jobs(folder, *TARGETS) == {}


def test_an_edited_scheduler_runs_its_own_settings_and_the_old_runs_serve_when_it_is_reverted(folder):
    tables = tuple(target.replace(".pdf", ".csv") for target in TARGETS)
    scheduler = folder / "src/edgebatch/schedulers/static_batching.py"
    before = [(folder / table).read_bytes() for table in tables]
    old, new = "upper_bound=bound)", "upper_bound=bound + 0)"
    _edit(scheduler, old, new)
    assert jobs(folder, *TARGETS) == {"simulate": 3, "collect": 2, "draw": 2}
    snakemake(folder, *tables)
    assert len(list((folder / "results/runs").glob("*.json"))) == 9
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
    shutil.copytree(
        first_run[0], clone, ignore=shutil.ignore_patterns(".snakemake"), copy_function=shutil.copy
    )
    assert "simulate" not in jobs(clone, *TARGETS)
