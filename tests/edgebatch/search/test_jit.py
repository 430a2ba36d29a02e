"""The cache of compiled code may be damaged, unreadable or impossible to write; results stay the same."""

import os
import shutil
import subprocess
import sys

import pytest

from edgebatch.search.jit import BLOCK_BYTES

MODULE = """
import numpy as np
from edgebatch.search.jit import compiled

@compiled()
def twice(x):
    return np.full(x, 2).sum()
"""
PROGRAM = """
import warnings
warnings.showwarning = lambda message, *_: print("warning:", message)
import doubling
print(doubling.twice(21), sum(doubling.twice.stats.cache_hits.values()))
"""
COMPILED, LOADED = "42 0", "42 1"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "doubling.py").write_text(MODULE)
    return tmp_path


def _run(folder, **variables):
    """What a process prints that calls the function: warnings; then its value and how often it was loaded."""
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"}
    path = os.pathsep.join([str(folder), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment | {"PYTHONPATH": path} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def called(tmp_path_factory):
    """A folder in which the function was called once, so that its code is stored."""
    folder = tmp_path_factory.mktemp("called")
    (folder / "doubling.py").write_text(MODULE)
    assert _run(folder) == [COMPILED]
    return folder


@pytest.fixture
def stored(called, tmp_path):
    """A copy of that folder, to be damaged."""
    return shutil.copytree(called, tmp_path / "stored")


def _make_unreadable(file):
    file.chmod(0)
    if os.access(file, os.R_OK):
        pytest.skip("root reads every file")


DAMAGE = {
    "empty": lambda file: file.write_bytes(b""),
    "cut in its middle": lambda file: os.truncate(file, file.stat().st_size // 2),
    "cut by one byte": lambda file: os.truncate(file, file.stat().st_size - 1),
    "all zeros": lambda file: file.write_bytes(bytes(file.stat().st_size)),
    "unreadable": _make_unreadable,
}


def test_whole_code_is_loaded_without_a_warning(stored):
    assert _run(stored) == [LOADED]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_makes_one_warning_and_is_replaced(stored, how, kind):
    (file,) = stored.glob(f"__pycache__/*.{kind}")
    DAMAGE[how](file)
    warning = f"warning: {file.parent}: damaged compiled code is removed and compiled again"
    assert _run(stored) == [warning, COMPILED]
    assert _run(stored) == [LOADED]


def test_machine_code_with_a_block_of_zeros_is_not_run(stored):
    (file,) = stored.glob("__pycache__/*.nbc")
    data = file.read_bytes()
    assert len(data) > 2 * BLOCK_BYTES
    file.write_bytes(data[:BLOCK_BYTES] + bytes(BLOCK_BYTES) + data[2 * BLOCK_BYTES :])
    assert _run(stored)[1:] == [COMPILED]
    assert _run(stored) == [LOADED]


def test_files_of_other_functions_are_left_alone(stored):
    other = stored / "__pycache__/doubling.thrice-9.py311.nbi"
    other.write_bytes(b"")
    assert _run(stored) == [LOADED]
    assert other.exists()


def _without_cache(folder):
    """Variables under which no folder for the cache can be made, whoever asks: a file stands in its place."""
    (folder / "__pycache__").touch()
    (folder / "home").touch()
    return {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "home")}


def test_without_a_folder_for_the_cache_code_is_compiled_with_a_warning(folder):
    told, value = _run(folder, **_without_cache(folder))
    assert told.startswith(f"warning: {folder / '__pycache__'}: compiled code cannot be stored here")
    assert value == COMPILED


def test_the_folder_that_the_warning_asks_for_is_used(folder):
    variables = _without_cache(folder) | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    assert _run(folder, **variables) == [COMPILED]
    assert _run(folder, **variables) == [LOADED]


def test_a_damaged_file_that_cannot_be_removed_is_not_used(stored):
    (index,) = stored.glob("__pycache__/*.nbi")
    index.unlink()
    index.mkdir()
    assert _run(stored)[1:] == [COMPILED]


def test_changed_source_is_compiled_again(stored):
    (stored / "doubling.py").write_text(MODULE.replace("np.full(x, 2).sum()", "x + 20"))
    assert _run(stored) == ["41 0"]


def test_without_compilation_functions_are_plain_python(folder):
    (folder / "doubling.py").write_text(MODULE + "\nassert type(twice).__name__ == 'function'\n")
    program = [sys.executable, "-c", "import doubling; assert doubling.twice(21) == 42"]
    environment = os.environ | {
        "NUMBA_DISABLE_JIT": "1",
        "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
    }
    assert subprocess.run(program, env=environment, check=False).returncode == 0


def test_an_edit_of_a_file_beside_it_compiles_a_function_again(folder):
    beside = folder / "beside.py"
    beside.write_text(MODULE.replace("twice", "again"))
    calls = "from beside import again\n" + MODULE.replace("np.full(x, 2).sum()", "again(x)")
    (folder / "doubling.py").write_text(calls)
    assert _run(folder) == [COMPILED]
    assert _run(folder) == [LOADED]
    beside.write_text(MODULE.replace("twice", "again").replace("np.full(x, 2).sum()", "x + 20"))
    assert _run(folder) == ["41 0"]
