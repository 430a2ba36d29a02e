"""What is part of a fingerprint, and what is none of its business."""

import re
import shutil
import sys

import pytest

from edgebatch import schedulers
from edgebatch_artifact.runs import plan
from edgebatch_artifact.runs.plan import simulation_code
from edgebatch_artifact.storage.fingerprint import imported_modules
from tests.workflow.checkout import ROOT, execute

ASK = """
import sys
from edgebatch_artifact.runs.plan import simulation_code
print(simulation_code(sys.argv[1]))
"""


@pytest.fixture
def folder(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


def _fingerprint(folder, scheduler="static_batching"):
    done = execute(folder, sys.executable, "-c", ASK, scheduler)
    assert done.returncode == 0, done.stdout
    return done.stdout.strip()


def _edit(folder, file, old, new):
    path = folder / "src" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


OWN = "edgebatch/schedulers/static_batching.py"


def test_comments_docstrings_and_layout_keep_the_fingerprint(folder):
    before = _fingerprint(folder)
    assert len(before) == 12
    _edit(folder, OWN, '"""', '"""Another docstring. ')
    _edit(folder, OWN, '"""Fill one batch', '"""Stuff one batch')
    _edit(folder, OWN, "    size = worst_case", "    # a remark\n\n    size = worst_case")
    _edit(folder, OWN, "isinstance(batch_size, bool)", "isinstance(\n batch_size,   bool)")
    _edit(folder, "edgebatch/problem.py", '"""', '"""Of problems. ')
    assert _fingerprint(folder) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (OWN, "or batch_size < 1", "or batch_size < 2"),
        (OWN, 'admission: str = "feasible"', 'admission: str = "blind"'),
        ("edgebatch/schedulers/_admission.py", "return ", "return 0 or "),
        ("edgebatch/model/workload.py", "return ", "return 0 or "),
        ("edgebatch/metrics.py", "served / horizon_s", "served / horizon_s * 2"),
    ],
)
def test_an_edit_of_code_that_the_result_depends_on_changes_the_fingerprint(folder, file, old, new):
    before = _fingerprint(folder)
    _edit(folder, file, old, new)
    assert _fingerprint(folder) != before


@pytest.mark.parametrize(
    "file",
    [
        "edgebatch/schedulers/dftsp.py",
        "edgebatch/schedulers/no_batching.py",
        "edgebatch/io/cli.py",
        "edgebatch_artifact/publish/figures.py",
        "edgebatch_artifact/runs/plan.py",
        "edgebatch_artifact/settings/experiments/expand.py",
        "edgebatch_artifact/storage/files.py",
        "edgebatch_artifact/steps.py",
    ],
)
def test_an_edit_of_what_the_result_does_not_depend_on_keeps_the_fingerprint(folder, file):
    before = _fingerprint(folder)
    _edit(
        folder,
        file,
        "from __future__ import annotations\n",
        "from __future__ import annotations\n\nMORE = 1\n",
    )
    assert _fingerprint(folder) == before


def test_each_scheduler_has_a_fingerprint_of_its_own(folder):
    assert _fingerprint(folder, "dftsp") != _fingerprint(folder, "static_batching")


def test_a_new_scheduler_file_keeps_the_fingerprint_of_the_others(folder):
    before = _fingerprint(folder)
    (folder / "src/edgebatch/schedulers/mine.py").write_text("def schedule(instance):\n    return None\n")
    assert _fingerprint(folder) == before


COMMAND_LINES = {"edgebatch.io", "edgebatch_artifact.cli", "edgebatch_artifact.steps"}
FILES = {
    *(f"edgebatch_artifact.storage.{name}" for name in ("files", "yaml_file", "sealed")),
    "edgebatch_artifact.runs.result_file",
}
HYDRA = {
    f"edgebatch_artifact.settings.{name}"
    for name in ("compose", "hydra_errors", "experiments.expand", "experiments.sweep")
}
RULES = {
    rule: re.findall(r'"(edgebatch[\w.]*)"', modules)
    for path in (ROOT / "workflow/rules").glob("*.smk")
    for rule, modules in re.findall(
        r"^rule (\w+):(?:(?!^rule ).)*?fingerprint\(([^)]*)\)", path.read_text(encoding="utf-8"), re.M | re.S
    )
}
"""What the workflow fingerprints for each rule."""


def _beyond_computing(modules):
    """Command lines, our access to files, and Hydra, in what `modules` import."""
    beyond = COMMAND_LINES | FILES | HYDRA
    imported = imported_modules(*modules)
    return {name for name in imported if name in beyond or name.startswith("edgebatch.io.")}


@pytest.mark.parametrize("scheduler", schedulers.names())
def test_the_code_of_a_result_has_no_command_line_file_or_hydra_in_it(monkeypatch, scheduler):
    fingerprinted = []
    monkeypatch.setattr(plan, "fingerprint", lambda *modules: fingerprinted.extend(modules) or "code")
    assert simulation_code(scheduler) == "code"
    assert f"edgebatch.schedulers.{scheduler}" in fingerprinted
    assert _beyond_computing(fingerprinted) == set()


def test_every_rule_but_simulate_has_a_fingerprint():
    rules = {
        rule
        for path in (ROOT / "workflow/rules").glob("*.smk")
        for rule in re.findall(r"^rule (\w+):", path.read_text(encoding="utf-8"), re.M)
    }
    assert {"collect", "draw", "conclude"} < RULES.keys()
    # the results of simulate carry the fingerprint of their code in their names
    assert rules - RULES.keys() == {"simulate"}


# record is left out: it reads and writes the file of digests itself
@pytest.mark.parametrize("rule", sorted(RULES.keys() - {"record"}))
def test_the_code_of_a_rule_has_no_command_line_file_or_hydra_in_it(rule):
    assert set(RULES[rule]) <= imported_modules(*RULES[rule])
    assert _beyond_computing(RULES[rule]) == set()


def test_imported_modules_are_those_that_are_imported_directly_or_not():
    found = imported_modules("edgebatch_artifact.publish.figures")
    assert {"edgebatch_artifact.publish.table", "edgebatch.errors"} <= found
    assert "edgebatch_artifact.publish.report" not in found
    assert _beyond_computing(["edgebatch_artifact.settings.experiments.cache"]) == {
        "edgebatch_artifact.settings.experiments.expand",
        *HYDRA,
        *FILES - {"edgebatch_artifact.runs.result_file"},
        *(f"edgebatch.io{part}" for part in ("", ".instance_format", ".json_text", ".request_table")),
    }
