"""Few or many requests, threads and forks, missing packages: everything works or says why."""

import json
import multiprocessing
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgebatch import solve
from edgebatch.io import read_instance
from edgebatch.metrics import replicates_of
from edgebatch_artifact.settings.compose import compose_config, setting_of
from tests.workflow.checkout import ROOT, copy_without_experiments, environment, execute

EXAMPLE = str(ROOT / "docs/example.json")
MULTIRUN = (sys.executable, "-m", "edgebatch_artifact.runs.multirun", "--multirun")
SHORT = ["simulation.epochs=3", "simulation.seeds=2"]


def _throughput(*overrides):
    setting = setting_of(compose_config(ROOT / "conf", [*SHORT, *overrides]))
    return [replicate["throughput_per_s"] for replicate in replicates_of(setting)[0]]


@pytest.mark.parametrize("scheduler", ["dftsp", "surrogate", "static_batching", "no_batching"])
def test_without_arrivals_nothing_is_served(scheduler):
    assert _throughput(f"scheduler={scheduler}", "workload.arrival_rate=1.0e-9") == [0, 0]


@pytest.mark.parametrize("scheduler", ["dftsp", "surrogate"])
def test_fifty_times_the_load_does_not_stop_the_optimal_batch(scheduler):
    few = _throughput(f"scheduler={scheduler}", "workload.arrival_rate=50")
    many = _throughput(f"scheduler={scheduler}", "workload.arrival_rate=2500")
    assert sum(many) >= 0.9 * sum(few) > 0


def test_warnings_as_errors_change_nothing():
    words = ("-W", "error", "-m", "edgebatch", "solve", EXAMPLE, "--json")
    done = subprocess.run(
        [sys.executable, *words], env=environment(ROOT), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["size"] == 2
    assert done.stderr == ""


def _selected(scheduler):
    return solve(read_instance(EXAMPLE), scheduler).selected


@pytest.mark.parametrize("scheduler", ["dftsp", "surrogate"])
def test_threads_and_forks_get_the_same_schedule(scheduler):
    alone = _selected(scheduler)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(_selected, [scheduler] * 16)) == {alone}
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert set(pool.map(_selected, [scheduler] * 4)) == {alone}


MISSING = """import sys
sys.modules[{package!r}] = None
from edgebatch_artifact.cli import main
sys.exit(main({words}))
"""


@pytest.mark.parametrize(
    ("package", "words", "extra"),
    [
        ("hydra", ["simulate"], "artifact"),
        ("pandas", ["verify"], "artifact"),
        ("rocrate", ["archive"], "archive"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_its_extra(package, words, extra):
    code = MISSING.format(package=package, words=words)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(ROOT),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert re.match(rf"artifact: {package}[\w.]*: found no such package", done.stderr)
    assert done.stderr.endswith(f"pip install -e '.[{extra}]'\n")
    assert len(done.stderr.splitlines()) == 1


def test_plain_hydra_stores_nothing(tmp_path):
    folder = copy_without_experiments(tmp_path / "copy")
    before = sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    done = execute(folder, *MULTIRUN, "model=bloom_3b,bloom_7b1", *SHORT)
    assert done.returncode == 0, done.stdout
    assert len(done.stdout.splitlines()) == 2
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts) == before


def test_plain_hydra_takes_a_quoted_value_with_a_comma(tmp_path):
    folder = copy_without_experiments(tmp_path / "copy")
    label = 'model.label="a,b"'
    words = (
        "-m",
        "edgebatch_artifact.runs.multirun",
        "--multirun",
        "model=bloom_3b,bloom_7b1",
        label,
        *SHORT,
    )
    done = execute(folder, sys.executable, *words)
    assert done.returncode == 0, done.stdout


def test_a_launcher_that_does_not_exist_is_not_blamed_on_a_file(tmp_path):
    folder = copy_without_experiments(tmp_path / "copy")
    words = ("-m", "edgebatch_artifact.runs.multirun", "--multirun", "hydra/launcher=nope", *SHORT)
    done = execute(folder, sys.executable, *words)
    found = (
        "artifact: command line: defaults: found 'hydra/launcher/nope', expected one of hydra/launcher/basic"
    )
    assert done.returncode == 2
    assert done.stdout.startswith(found)
    assert len(done.stdout.splitlines()) == 1
