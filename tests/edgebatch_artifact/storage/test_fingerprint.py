import shutil
import sys

import pytest

from tests.workflow.checkout import ROOT, execute

SCHEDULERS = "edgebatch.schedulers."
ASK = "import sys; from edgebatch_artifact.storage.fingerprint import fingerprint; print(fingerprint(*sys.argv[1:]))"


@pytest.fixture
def folder(tmp_path):
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


def _fingerprint(folder, scheduler="static_batching"):
    done = execute(
        folder, sys.executable, "-c", ASK, "edgebatch_artifact.runs.simulate", SCHEDULERS + scheduler
    )
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
    _edit(folder, OWN, '"""StB: static', '"""Another docstring: static')
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
        ("edgebatch/workload.py", "return ", "return 0 or "),
        ("artifact/simulate.py", "served / horizon_s", "served / horizon_s * 2"),
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
        "artifact/figures.py",
        "artifact/batch.py",
        "artifact/plan.py",
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
