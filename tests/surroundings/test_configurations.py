"""What users configure for themselves changes no byte of what is drawn, executed or typeset."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from edgebatch_artifact.publish.programs import execute_notebook, typeset
from edgebatch_artifact.storage.csv_file import csv_text
from edgebatch_artifact.storage.files import write
from edgebatch_artifact.storage.sealed import seal
from tests.edgebatch_artifact.experiments import make_experiment
from tests.workflow.checkout import ROOT, environment

RC_FILES = {
    "tight": "savefig.bbox: tight\n",
    "large": "font.size: 30\nlines.linewidth: 9\naxes.facecolor: red\n",
    "latex": "text.usetex: True\n",
    "unknown keys": "no.such.key: 1\n",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with an experiment to draw."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("drawn")
    axes = [{"load": load, "scheduler": "dftsp"} for load in (1, 2)]
    experiment = make_experiment(axes=axes)
    rows = [{**a, "column": "throughput_per_s", "mean": a["load"], "half_width": 0.1} for a in axes]
    write(folder / "mine.json", seal({"key": "", "content": experiment.as_dict()}, "mine"))
    write(folder / "numbers.csv", csv_text(pd.DataFrame(rows)))
    return folder


def _drawn(project, to, **variables):
    """Bytes of the PDF and the PNG, drawn by a step in the folder of the experiment."""
    files = [to / name for name in ("a.csv", "a.pdf", "a.png", "a.tex", "a.json")]
    words = ("draw", "mine.json", "numbers.csv", *map(str, files))
    command = [sys.executable, "-m", "edgebatch_artifact.steps", *words]
    done = subprocess.run(
        command, cwd=project, env=environment(ROOT) | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [files[1].read_bytes(), files[2].read_bytes()]


@pytest.fixture(scope="module")
def plain(project, tmp_path_factory):
    return _drawn(project, tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize("how", RC_FILES)
def test_a_matplotlibrc_changes_no_byte_of_a_figure(project, plain, tmp_path, how):
    rc = tmp_path / "matplotlibrc"
    rc.write_text(RC_FILES[how])
    assert _drawn(project, tmp_path / "out", MATPLOTLIBRC=str(rc)) == plain


@pytest.mark.parametrize(
    "variables",
    [{"MPLBACKEND": "svg"}, {"SOURCE_DATE_EPOCH": "1234567890"}, {"PYTHONWARNINGS": "ignore"}],
    ids=["backend", "date", "warnings"],
)
def test_variables_that_programs_read_change_no_byte_of_a_figure(project, plain, tmp_path, variables):
    assert _drawn(project, tmp_path, **variables) == plain


CELL = {"cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": []}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
NOTEBOOK = {
    "cells": [CELL | {"source": ["import edgebatch; print('made by', edgebatch.__name__)"]}],
    "metadata": {"kernelspec": KERNEL},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def test_a_foreign_kernel_and_a_nbconvert_configuration_are_left_alone(tmp_path, monkeypatch):
    kernel = tmp_path / "jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text('{"argv": ["/bin/false"], "display_name": "F", "language": "python"}')
    (tmp_path / "config").mkdir()
    (tmp_path / "config/jupyter_nbconvert_config.py").write_text("raise SystemExit('not ours')\n")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "mine.ipynb").write_text(json.dumps(NOTEBOOK))
    monkeypatch.chdir(ROOT)
    execute_notebook(tmp_path / "mine.ipynb", tmp_path / "page.html", {})
    assert "made by edgebatch" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("latexmk") is None, reason="latexmk is not installed")
def test_the_user_s_latex_is_left_alone(tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "texmf/tex/latex").mkdir(parents=True)
    (home / ".latexmkrc").write_text("die 'not ours';\n")
    (home / "texmf/tex/latex/booktabs.sty").write_text("\\errmessage{not ours}\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TEXINPUTS", f"{home}/texmf/tex/latex:")
    paper = tmp_path / "paper"
    paper.mkdir()
    (paper / "main.tex").write_text(
        "\\documentclass{article}\\usepackage{booktabs}\\begin{document}A\\end{document}\n"
    )
    typeset(paper / "main.tex", tmp_path, paper / "main.pdf")
    assert (paper / "main.pdf").read_bytes().startswith(b"%PDF")


def _of_make(target_recipe, **variables):
    """What a recipe prints under the project's Makefile."""
    made = subprocess.run(
        ["make", "--no-print-directory", "--eval", f"shown: ; @{target_recipe}", "shown"],
        cwd=ROOT,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout


def test_what_users_set_for_pip_and_python_does_not_reach_the_recipes():
    set_by_user = ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH", "PYTHONSTARTUP", "SNAKEMAKE_PROFILE")
    shown = _of_make("env", PIP_USER="1", **dict.fromkeys(set_by_user, "/nowhere")).splitlines()
    assert "PIP_USER=0" in shown
    assert [line for line in shown if line.startswith(tuple(f"{name}=" for name in set_by_user))] == []


def test_make_uses_the_cores_that_this_process_may_use():
    one = f"taskset -c {min(os.sched_getaffinity(0))}" if shutil.which("taskset") else None
    assert _of_make("echo $(CORES)", SLURM_CPUS_PER_TASK="3").strip() == "3"
    if one is None:
        pytest.skip("taskset is not installed")
    recipe = ["make", "--no-print-directory", "--eval", "shown: ; @echo $(CORES)", "shown"]
    variables = {key: value for key, value in os.environ.items() if key != "SLURM_CPUS_PER_TASK"}
    made = subprocess.run([*one.split(), *recipe], cwd=ROOT, env=variables, capture_output=True, check=True)
    assert made.stdout.strip() == b"1"


def test_a_home_that_is_not_there_sends_snakemake_s_cache_into_the_project():
    shown = _of_make("env", HOME="/dev/null/home", XDG_CACHE_HOME="").splitlines()
    assert f"XDG_CACHE_HOME={ROOT}/.snakemake/cache" in shown
