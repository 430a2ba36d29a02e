"""Sweeps of more settings than conf/config.yaml allows: counted at once, and started only when told to."""

import time
import tracemalloc
from pathlib import Path

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.runs.plan import Options, make_plan, read_options
from edgebatch_artifact.settings.experiments import expand
from edgebatch_artifact.settings.experiments.cache import store_grid
from edgebatch_artifact.settings.experiments.experiment_file import read_experiment_file
from edgebatch_artifact.settings.experiments.sweep import sweep, sweep_size
from tests.edgebatch_artifact.spoilt import GOOD
from tests.refusals.refused import contents
from tests.workflow.checkout import ROOT

MINE, OTHER = "conf/experiment/mine.yaml", "conf/experiment/other.yaml"


def _plan(folder, most_settings=None, **sweeps):
    """Plan experiments of two models and these arrival rates."""
    for name, rates in sweeps.items():
        (folder / f"conf/experiment/{name}.yaml").write_text(GOOD.replace("10,20", rates))
    return make_plan(Path("conf"), Path("results"), Options("full", most_settings))


def _refusal(folder, **sweeps):
    for name, rates in sweeps.items():
        (folder / f"conf/experiment/{name}.yaml").write_text(GOOD.replace("10,20", rates))
    before = contents(folder)
    with pytest.raises(InputError) as refused:
        _plan(folder)
    assert contents(folder) == before
    return str(refused.value)


def test_a_sweep_beyond_the_limit_is_refused_with_its_size_the_limit_and_the_flag(folder):
    assert _refusal(folder, mine="range(1,3001)") == (
        f"{MINE}: hydra.sweeper.params: found a sweep of 6000 settings (6000 with all experiments), "
        "expected at most 5000, or the flag --config most_settings=6000 to go on"
    )


@pytest.mark.parametrize(
    "rates", ["range(0,1000000000)", "range(0,1e9)", "range(0,1e308)", "range(0,1,1e-12)"]
)
def test_a_sweep_without_end_in_sight_is_refused_at_once_and_in_little_memory(folder, rates):
    _refusal(folder, mine="range(1,3001)")  # imports, which are not what is measured
    tracemalloc.start()
    begin = time.perf_counter()
    line = _refusal(folder, mine=rates)
    seconds, most_bytes = time.perf_counter() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "expected at most 5000" in line
    assert most_bytes < 20e6
    assert seconds < 5  # years, if it were expanded


def test_the_sweeps_of_all_experiments_count_together(folder):
    line = _refusal(folder, mine="range(1,2001)", other="range(1,1001)")
    assert line.startswith(f"{MINE}: hydra.sweeper.params: found a sweep of 4000 settings (6000 with all")


def test_draws_count_as_settings(folder):
    text = GOOD.replace("simulation:", "sample: {draws: 2000, seed: 1}\nsimulation:")
    (folder / MINE).write_text(text)
    assert "found a sweep of 8000 settings" in _refusal(folder)


def test_with_the_flag_a_large_sweep_goes_on_and_without_it_stops_again(folder, monkeypatch):
    monkeypatch.setattr(expand, "allowed_settings", lambda conf: 5)
    with pytest.raises(InputError, match="expected at most 5, or the flag --config most_settings=6 to go on"):
        _plan(folder, mine="1,2,3")
    plan = _plan(folder, 6)
    assert len(plan.experiments["mine"].points) == 6
    # stored by now, the sweep is as large as before
    store_grid(plan.grid, Path("results"))
    monkeypatch.setattr(expand, "expand_experiments", None)
    with pytest.raises(InputError, match="found a sweep of 6 settings"):
        _plan(folder, 5)


def test_one_setting_less_than_the_limit_and_the_limit_itself_are_allowed(folder, monkeypatch):
    monkeypatch.setattr(expand, "allowed_settings", lambda conf: 6)
    assert _plan(folder, mine="1,2,3").batches


def test_the_experiments_of_the_paper_stay_below_the_limit():
    conf = ROOT / "conf"
    names = [path.stem for path in (conf / "experiment").glob("*.yaml")]
    size = sum(expand.experiment_size(read_experiment_file(conf, name)) for name in names)
    assert size < expand.allowed_settings(conf) / 2


@pytest.mark.parametrize(
    "values",
    [
        "1,2,3",
        7,
        "range(1,4)",
        "range(4,1,-1)",
        "range(0,1,0.25)",
        "range(0,10,3)",
        "[1,2],[3]",
        "choice(a,b)",
    ],
)
def test_the_size_of_a_sweep_is_the_number_of_its_values(values):
    assert sweep_size({"a": values}, "file") == len(sweep({"a": values}, "file")["a"])


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"scal": "smoke"}, "--config: scal: found an unknown key, expected one of measurement, most_settings, scale (did you mean scale?)"),
        ({"scale": 5}, "--config: scale: found 5, expected a text"),
        ({"scale": None}, "--config: scale: found nothing, expected a text"),
        ({"most_settings": "many"}, "--config: most_settings: found 'many', expected a whole number"),
        ({"most_settings": 0}, "--config: most_settings: found 0, expected a whole number at least 1"),
        ({"most_settings": 2.5}, "--config: most_settings: found 2.5, expected a whole number"),
    ],
)  # fmt: skip
def test_a_configuration_of_snakemake_that_cannot_be_used_is_refused(config, line):
    with pytest.raises(InputError) as refused:
        read_options(config)
    assert str(refused.value) == line


@pytest.mark.parametrize("scale", ["smok", "", "../scale/smoke"])
def test_an_unknown_scale_is_refused_before_anything_is_made(folder, scale):
    (folder / MINE).write_text(GOOD)
    before = contents(folder)
    with pytest.raises(InputError, match=r"^command line: scale: found .*, expected one of full, smoke"):
        make_plan(Path("conf"), Path("results"), Options(scale))
    assert contents(folder) == before
