"""Which job simulates what: every run in one batch, and no batch touched by what does not concern it."""

import random

from edgebatch_artifact.runs.batch_data import Run, read_batch
from edgebatch_artifact.runs.plan import MOST_SETTINGS, partition
from edgebatch_artifact.settings.experiment import ExperimentData

CODES = ("c0", "c1")


def _experiment(name, numbers):
    points = [
        {"id": f"{n:03d}", "run": f"runs/{n:03d}-{code}.json", "axes": {}} for n in numbers for code in CODES
    ]
    return ExperimentData(name, {}, {}, points)


def _plan(**numbers):
    """Experiments of numbered settings, each for two schedulers; their runs; and the batches of those."""
    experiments = {name: _experiment(name, chosen) for name, chosen in numbers.items()}
    files = dict.fromkeys(point["run"] for data in experiments.values() for point in data.points)
    runs = {file: Run("", file, file[-7:-5], "S", "words") for file in files}
    return experiments, runs, partition(experiments, runs)


def test_every_run_is_in_one_batch():
    _, runs, batches = _plan(a=range(40), b=range(30, 100), c=range(0, 100, 7))
    held = [run.result for batch in batches.values() for run in batch.runs]
    assert sorted(held) == sorted(runs)


def test_a_batch_has_the_runs_of_one_code_and_not_too_many():
    _, _, batches = _plan(a=range(40), b=range(30, 100))
    for batch in batches.values():
        assert 1 <= len(batch.runs) <= MOST_SETTINGS
        assert len({run.code for run in batch.runs}) == 1


def test_the_runs_of_a_batch_are_those_that_its_experiments_share():
    experiments, _, batches = _plan(a=range(40), b=range(30, 100), c=range(0, 100, 7))
    needed = {name: {point["run"] for point in data.points} for name, data in experiments.items()}
    for batch in batches.values():
        for run in batch.runs:
            assert batch.experiments == tuple(name for name in needed if run.result in needed[name])


def test_the_order_of_a_sweep_does_not_change_the_batches():
    numbers = list(range(60))
    random.Random(7).shuffle(numbers)
    assert set(_plan(a=numbers, b=range(9))[2]) == set(_plan(a=range(60), b=range(9))[2])


def test_a_value_more_in_one_experiment_leaves_the_batches_of_the_others_alone():
    _, _, before = _plan(a=range(40), b=range(30, 100))
    _, _, after = _plan(a=[*range(40), 200], b=range(30, 100))
    changed = [(before | after)[name] for name in before.keys() ^ after.keys()]
    assert changed
    assert all(batch.experiments == ("a",) for batch in changed)


def test_a_batch_is_read_as_it_was_written(tmp_path):
    for name, batch in _plan(a=range(40), b=range(30, 100))[2].items():
        (tmp_path / "batch.json").write_text(batch.to_json())
        assert read_batch(tmp_path / "batch.json") == batch
        assert batch.name == name
