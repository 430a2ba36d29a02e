"""A cache of compiled code that is damaged, or cannot be written, costs a compilation and a line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import edgebatch
from tests.workflow.checkout import ROOT

DAMAGE = {
    "emptied": lambda content: b"",
    "cut": lambda content: content[:100],
    "zeroed": lambda content: bytes(len(content)),
}
MENDED = "damaged compiled code is removed and compiled again"
SEARCHES = {
    "dftsp": "tree/__pycache__/walk.search_batch_size*",
    "surrogate": "boxes/__pycache__/search.largest_batch*",
}


def _solve(package, scheduler, **variables):
    """The size of the example's batch, and what is said on standard error."""
    kept = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    words = ("-m", "edgebatch", "solve", str(ROOT / "docs/example.json"), "--scheduler", scheduler)
    done = subprocess.run(
        [sys.executable, *words],
        cwd=package,
        env=kept | {"PYTHONPATH": str(package)} | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert '"size": 2' in done.stdout
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the library, with compiled code."""
    folder = tmp_path_factory.mktemp("library")
    shutil.copytree(Path(edgebatch.__file__).parent, folder / "edgebatch")
    for scheduler in SEARCHES:
        assert _solve(folder, scheduler) == []
    return folder


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_is_a_miss_with_one_line_and_then_mended(package, how, ending):
    for path in (package / "edgebatch/search").glob(f"{SEARCHES['dftsp']}.{ending}"):
        path.write_bytes(DAMAGE[how](path.read_bytes()))
    (line,) = _solve(package, "dftsp")
    assert MENDED in line
    assert _solve(package, "dftsp") == []


def test_surrogate_mends_its_cache_as_well(package):
    _solve(package, "surrogate")
    for path in (package / "edgebatch/search").glob(f"{SEARCHES['surrogate']}.nbi"):
        path.write_bytes(b"")
    (line,) = _solve(package, "surrogate")
    assert MENDED in line
    assert _solve(package, "surrogate") == []


def test_without_a_folder_to_write_to_it_compiles_and_says_so(package, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], capture_output=True, check=False).returncode:
        pytest.skip("mounting a disk is not permitted")
    try:
        shutil.copytree(
            package / "edgebatch", place / "edgebatch", ignore=shutil.ignore_patterns("__pycache__")
        )
        (place / "home").mkdir()
        subprocess.run(["mount", "-o", "remount,ro", place], check=True)
        home = {"HOME": str(place / "home"), "XDG_CACHE_HOME": str(place / "home")}
        (told,) = _solve(place, "dftsp", PYTHONDONTWRITEBYTECODE="1", **home)
        assert "compiled code cannot be stored here and is compiled in each process" in told
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)
