"""Continuous integration runs what people run: the targets of the Makefile, which exist."""

import re

import pytest
import yaml

from tests.workflow.checkout import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
HOOKS = ROOT / ".pre-commit-config.yaml"


def _read(path):
    # BaseLoader, as YAML 1.1 takes the key `on` for true
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def _commands(job):
    """What the steps of a job run, for each value of its matrix."""
    text = "\n".join(step.get("run", "") for step in job["steps"])
    for key, values in job.get("strategy", {}).get("matrix", {}).items():
        if f"${{{{ matrix.{key} }}}}" in text:
            text = "\n".join(text.replace(f"${{{{ matrix.{key} }}}}", value) for value in values)
    return text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_triggers_and_jobs_of_steps_that_each_do_one_thing(path):
    workflow = _read(path)
    assert workflow["on"]
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert job["timeout-minutes"]
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_target_that_a_workflow_makes_is_in_the_makefile(path):
    made = {
        target
        for job in _read(path)["jobs"].values()
        for target in re.findall(r"\bmake ([\w-]+)", _commands(job))
    }
    assert made
    assert made - TARGETS == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_value_of_a_matrix_that_is_used_is_defined(path):
    for job in _read(path)["jobs"].values():
        matrix = job.get("strategy", {}).get("matrix", {})
        defined = {*matrix, *(key for entry in matrix.get("include", ()) for key in entry)}
        assert set(re.findall(r"\bmatrix\.([\w-]+)", yaml.safe_dump(job))) <= defined


def test_both_systems_the_oldest_python_and_a_monthly_run_are_covered():
    (path,) = WORKFLOWS
    workflow, text = _read(path), path.read_text(encoding="utf-8")
    matrix = workflow["jobs"]["reproduce"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos"}
    assert matrix["python"][0] == "3.11"
    assert len(matrix["python"]) > 1
    assert re.fullmatch(r"\d+ \d+ \d+ \* \*", workflow["on"]["schedule"][0]["cron"])
    assert not re.search(r"^\s*(?:uses: actions/cache|cache\w*:)", text, re.M)


def test_hooks_run_what_make_runs_and_download_nothing():
    for repo in _read(HOOKS)["repos"]:
        assert repo["repo"] == "local"
        for hook in repo["hooks"]:
            assert hook["language"] == "system"
            assert hook["entry"].removeprefix("make ") in TARGETS


def test_the_makefile_needs_no_tool_that_is_missing_on_macos():
    recipes = "\n".join(re.findall(r"^\t.*", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert not re.search(
        r"\b(?:nproc|column|realpath|timeout|readlink -f|sed -r|sed -i|cp -a|date -d)\b", recipes
    )
