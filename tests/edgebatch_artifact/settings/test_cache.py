import json
import shutil
import sys

import pytest

from edgebatch_artifact.runs.plan import make_plan, store
from edgebatch_artifact.settings import cache as grid
from edgebatch_artifact.settings import expand as compile
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT, execute

HEAVY = {"hydra", "omegaconf", "pandas", "seaborn", "matplotlib", "snakemake"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with one experiment, which is compiled."""
    folder = tmp_path_factory.mktemp("grid")
    shutil.copytree(ROOT / "conf", folder / "conf", ignore=shutil.ignore_patterns("experiment"))
    (folder / "conf/experiment").mkdir()
    (folder / "conf/experiment/mine.yaml").write_text(GOOD)
    grid.load(folder / "conf", folder / "results/grids/full", "full")
    return folder


def _imported(folder, code):
    """Which of the heavy packages a program imports."""
    program = f"{code}\nimport sys\nprint('imported', *{{name.partition('.')[0] for name in sys.modules}})"
    done = execute(folder, sys.executable, "-c", program)
    assert done.returncode == 0, done.stdout
    return HEAVY & set(done.stdout.splitlines()[-1].split())


def test_a_grid_that_is_compiled_already_is_read_without_hydra(folder):
    code = "from pathlib import Path; from edgebatch_artifact.runs.plan import make_plan; "
    code += "make_plan(Path('conf'), Path('results'), 'full')"
    assert _imported(folder, code) == set()


def test_simulating_a_setting_imports_nothing_of_configuration_or_figures(folder):
    plan = make_plan(folder / "conf", folder / "results", "full")
    store(plan, folder / "results")
    id_ = plan.experiments["mine"].points[0]["id"]
    code = f"import sys; sys.argv = ['', 'results/settings/{id_}.json', 'run.json', '--code', '0' * 12]\n"
    code += "from edgebatch_artifact.runs.simulate import main; assert main() == 0"
    assert _imported(folder, code) == set()
    assert json.loads((folder / "run.json").read_text())["id"] == id_


def test_a_job_imports_nothing_of_configuration_or_figures(folder):
    assert _imported(folder, "import edgebatch_artifact.runs.batch") == set()


def test_the_library_imports_nothing_of_the_artifact(folder):
    code = "import sys, edgebatch, edgebatch.io.cli, edgebatch.simulation\nfrom edgebatch import schedulers\n"
    code += "[schedulers.get(name) for name in schedulers.names()]\nassert 'artifact' not in sys.modules"
    assert _imported(folder, code) == set()


def test_a_grid_read_from_its_cache_is_the_compiled_one(folder):
    entry = folder / "results/grids/full/mine.json"
    stored = entry.stat().st_mtime_ns
    again = grid.load(folder / "conf", entry.parent, "full")
    assert entry.stat().st_mtime_ns == stored
    compiled = grid.load(folder / "conf", folder / "elsewhere", "full")
    assert again.experiments == compiled.experiments
    assert json.dumps(again.settings) == json.dumps(compiled.settings)


DAMAGE = {
    "empty": lambda text: "",
    "cut short": lambda text: text[: len(text) // 2],
    "edited": lambda text: text.replace('"epochs": 1', '"epochs": 2'),
    "another file": lambda text: '{"key": "other"}',
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_cache_is_compiled_anew(folder, tmp_path, how):
    good = (folder / "results/grids/full/mine.json").read_text()
    damaged = DAMAGE[how](good)
    assert damaged != good
    (tmp_path / "mine.json").write_text(damaged)
    assert grid.load(folder / "conf", tmp_path, "full").experiments["mine"].points
    assert (tmp_path / "mine.json").read_text() == good


def test_a_changed_file_of_the_configuration_is_seen(folder, tmp_path):
    conf = shutil.copytree(folder / "conf", tmp_path / "conf")
    cache = shutil.copytree(folder / "results/grids/full", tmp_path / "full")
    before = grid.load(conf, cache, "full")
    (conf / "model/bloom_3b.yaml").write_text(
        (conf / "model/bloom_3b.yaml").read_text().replace("layers: 30", "layers: 31")
    )
    changed = set(grid.load(conf, cache, "full").settings) ^ set(before.settings)
    assert len(changed) == 4


@pytest.fixture
def compiled(monkeypatch):
    """Names of the experiments that are compiled, in order."""
    names = []
    real = compile.compile_grid
    monkeypatch.setattr(
        compile, "compile_grid", lambda conf, scale, some: names.extend(some) or real(conf, scale, some)
    )
    return names


def test_only_the_experiment_that_changed_is_compiled(folder, tmp_path, compiled):
    conf = shutil.copytree(folder / "conf", tmp_path / "conf")
    cache = shutil.copytree(folder / "results/grids/full", tmp_path / "full")
    (conf / "experiment/other.yaml").write_text(GOOD.replace("10,20", "10,30"))
    found = grid.load(conf, cache, "full")
    assert compiled == ["other"]
    assert len(found.settings) == 6
    (conf / "experiment/other.yaml").write_text(GOOD.replace("10,20", "10,20,40"))
    found = grid.load(conf, cache, "full")
    assert compiled == ["other", "other"]
    assert len(found.settings) == 6
    (conf / "config.yaml").write_text((conf / "config.yaml").read_text() + "\n")
    grid.load(conf, cache, "full")
    assert compiled[2:] == ["mine", "other"]


def test_an_experiment_that_is_removed_leaves_no_settings_behind(folder, tmp_path, compiled):
    conf = shutil.copytree(folder / "conf", tmp_path / "conf")
    cache = shutil.copytree(folder / "results/grids/full", tmp_path / "full")
    before = grid.load(conf, cache, "full")
    (conf / "experiment/other.yaml").write_text(GOOD.replace("10,20", "30"))
    assert len(grid.load(conf, cache, "full").settings) == 6
    (conf / "experiment/other.yaml").unlink()
    assert grid.load(conf, cache, "full") == before
    assert compiled == ["other"]


def test_a_plan_leaves_files_alone_that_are_as_they_should_be(folder, tmp_path):
    results = tmp_path / "results"
    store(make_plan(folder / "conf", results, "full"), results)
    files = sorted(path for path in results.rglob("*") if path.is_file())
    times = [path.stat().st_mtime_ns for path in files]
    (results / "experiments/old.json").write_text("{}")
    store(make_plan(folder / "conf", results, "full"), results)
    assert sorted(path for path in results.rglob("*") if path.is_file()) == files
    assert [path.stat().st_mtime_ns for path in files] == times
