"""Expanded experiments as files: current or expanded anew, and nothing written while they are read."""

import shutil
import sys

import pytest

from edgebatch import InputError
from edgebatch_artifact.runs.plan import Options, make_plan
from edgebatch_artifact.settings.experiments import cache, expand
from edgebatch_artifact.settings.experiments.cache import (
    load_grid,
    read_experiment,
    read_experiments,
    read_nominal,
    store_grid,
)
from tests.edgebatch_artifact.spoilt import GOOD
from tests.refusals.refused import contents
from tests.workflow.checkout import copy_conf, execute

HEAVY = {"hydra", "omegaconf", "pandas", "seaborn", "matplotlib", "snakemake"}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A project with one experiment, which is expanded and stored."""
    folder = tmp_path_factory.mktemp("stored")
    copy_conf(folder / "conf")
    (folder / "conf/experiment").mkdir()
    (folder / "conf/experiment/mine.yaml").write_text(GOOD)
    store_grid(make_plan(folder / "conf", folder / "results", Options()).grid, folder / "results")
    return folder


@pytest.fixture
def folder(stored, tmp_path):
    """A copy of it, to change."""
    return shutil.copytree(stored, tmp_path / "copy")


def _load(folder):
    return load_grid(folder / "conf", folder / "results", "full")


def _add(folder, rates):
    """Write a second experiment of two models and these arrival rates."""
    (folder / "conf/experiment/other.yaml").write_text(GOOD.replace("10,20", rates))


def _ids(grid):
    """Ids of all settings."""
    return {id_ for experiment in grid.experiments.values() for id_ in experiment.settings}


def _imported(folder, code):
    """Which of the heavy packages a program imports."""
    program = f"{code}\nimport sys\nprint('imported', *{{name.partition('.')[0] for name in sys.modules}})"
    done = execute(folder, sys.executable, "-c", program)
    assert done.returncode == 0, done.stdout
    return HEAVY & set(done.stdout.splitlines()[-1].split())


def test_experiments_that_are_stored_are_planned_without_hydra(stored):
    code = "from pathlib import Path; from edgebatch_artifact.runs.plan import Options, make_plan; "
    code += "make_plan(Path('conf'), Path('results'), Options())"
    assert _imported(stored, code) == set()


def test_simulating_a_setting_imports_nothing_of_configuration_or_figures(folder):
    experiment = make_plan(folder / "conf", folder / "results", Options()).experiments["mine"]
    point = experiment.points[0]
    code = "from edgebatch_artifact.steps import main; "
    code += f"assert main(['simulate', 'results/experiments/mine.json', '{point.id}']) == 0"
    assert _imported(folder, code) == set()
    assert (folder / f"results/runs/{experiment.result(point)}.json").exists()


def test_the_library_imports_nothing_of_the_artifact(stored):
    code = "import sys, edgebatch, edgebatch.io.cli, edgebatch.metrics\nfrom edgebatch import schedulers\n"
    code += "[schedulers.get(name) for name in schedulers.names()]\n"
    code += "assert 'edgebatch_artifact' not in sys.modules"
    assert _imported(stored, code) == set()


def test_a_grid_that_is_read_is_the_one_that_was_expanded(stored, monkeypatch):
    expanded = load_grid(stored / "conf", stored / "nowhere", "full")
    monkeypatch.setattr(expand, "expand_experiments", None)
    loaded = _load(stored)
    assert loaded.keys == expanded.keys
    assert loaded.nominal == expanded.nominal
    assert loaded.experiments["mine"].settings.keys() == expanded.experiments["mine"].settings.keys()
    assert loaded.experiments["mine"].points == expanded.experiments["mine"].points
    assert loaded.experiments["mine"].figure == expanded.experiments["mine"].figure


def test_a_plan_read_from_files_names_the_same_files_as_one_expanded(stored):
    read = make_plan(stored / "conf", stored / "results", Options())
    expanded = make_plan(stored / "conf", stored / "nowhere", Options())
    assert read.batches == expanded.batches
    assert {e.digest() for e in read.experiments.values()} == {
        e.digest() for e in expanded.experiments.values()
    }


def _spoil_nothing(folder):
    pass


def _remove_all(folder):
    shutil.rmtree(folder / "results")


def _damage(folder):
    (folder / "results/experiments/mine.json").write_text("{}")


def _change(folder):
    (folder / "conf/experiment/mine.yaml").write_text(GOOD.replace("10,20", "10,30"))


def _exchange(folder):
    (folder / "conf/experiment/mine.yaml").rename(folder / "conf/experiment/other.yaml")


@pytest.mark.parametrize("spoil", [_spoil_nothing, _remove_all, _damage, _change, _exchange])
def test_loading_a_grid_writes_nothing_whatever_is_stored(folder, spoil):
    spoil(folder)
    before = contents(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert _load(folder).experiments
    assert contents(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == times


DAMAGE = {
    "empty": lambda text: "",
    "cut short": lambda text: text[: len(text) // 2],
    "edited": lambda text: text.replace('"epochs": 1', '"epochs": 2'),
    "another file": lambda text: '{"key": "other"}',
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_file_is_refused_by_jobs_and_expanded_and_stored_anew(folder, how):
    path = folder / "results/experiments/mine.json"
    good = path.read_text()
    expected = read_experiment(path)
    damaged = DAMAGE[how](good)
    assert damaged != good
    path.write_text(damaged)
    with pytest.raises(InputError, match=r"mine\.json: found other content, expected the file as"):
        read_experiment(path)
    store_grid(make_plan(folder / "conf", folder / "results", Options()).grid, folder / "results")
    assert path.read_text() == good
    assert read_experiment(path) == expected


def test_a_damaged_nominal_configuration_is_refused_by_jobs_and_stored_anew(folder):
    path = folder / "results/nominal.json"
    good = path.read_text()
    path.write_text(good[:-9])
    with pytest.raises(InputError, match=r"nominal\.json: found other content"):
        read_nominal(folder / "results")
    store_grid(_load(folder), folder / "results")
    assert path.read_text() == good
    assert read_nominal(folder / "results") == _load(folder).nominal


def test_jobs_that_find_no_experiment_say_what_makes_it(tmp_path):
    with pytest.raises(InputError, match="experiments: found no experiment, expected what snakemake makes"):
        read_experiments(tmp_path)
    with pytest.raises(InputError, match=r"nominal\.json: found no such file"):
        read_nominal(tmp_path)


def test_a_changed_file_of_the_configuration_is_seen(folder):
    before = _load(folder)
    model = folder / "conf/model/bloom_3b.yaml"
    model.write_text(model.read_text().replace("layers: 30", "layers: 31"))
    after = _load(folder)
    assert len(_ids(after) ^ _ids(before)) == 4
    assert after.nominal.models["bloom_3b"]["layers"] == 31


@pytest.fixture
def expanded(monkeypatch):
    """Names of the experiments that are expanded, in order."""
    names = []
    real = expand.expand_experiments
    monkeypatch.setattr(
        expand, "expand_experiments", lambda conf, scale, some: names.extend(some) or real(conf, scale, some)
    )
    return names


def _load_and_store(folder):
    grid = _load(folder)
    store_grid(grid, folder / "results")
    return grid


def test_only_the_experiment_that_changed_is_expanded(folder, expanded):
    _add(folder, "10,30")
    assert len(_ids(_load_and_store(folder))) == 6
    assert expanded == ["other"]
    _add(folder, "10,20,40")
    assert len(_ids(_load_and_store(folder))) == 6
    assert expanded == ["other", "other"]
    (folder / "conf/config.yaml").write_text((folder / "conf/config.yaml").read_text() + "\n")
    _load(folder)
    assert expanded[2:] == ["mine", "other"]


def test_edited_code_that_expands_is_seen(folder, expanded, monkeypatch):
    monkeypatch.setattr(cache, "fingerprint", lambda *modules: "other code")
    _load(folder)
    assert expanded == ["mine"]


def test_another_scale_is_expanded_for_itself(folder, expanded):
    load_grid(folder / "conf", folder / "results", "smoke")
    assert expanded == ["mine"]


def test_an_experiment_that_is_removed_leaves_no_file_behind(folder, expanded):
    before = _load(folder)
    _add(folder, "30")
    assert len(_ids(_load_and_store(folder))) == 6
    assert list(read_experiments(folder / "results")) == ["mine", "other"]
    (folder / "conf/experiment/other.yaml").unlink()
    assert _load_and_store(folder) == before
    assert list(read_experiments(folder / "results")) == ["mine"]
    assert expanded == ["other"]


def test_a_grid_stored_twice_has_the_same_bytes(folder):
    before = contents(folder / "results")
    store_grid(_load(folder), folder / "results")
    assert contents(folder / "results") == before
