"""Which job simulates what: every run in one batch, and no batch touched by what does not concern it."""

import dataclasses
import random

import pytest

from edgebatch import InputError
from edgebatch_artifact.runs.plan import BATCH_SIZE, partition, read_options
from edgebatch_artifact.settings.experiments.experiment import Point
from tests.edgebatch_artifact.experiments import make_experiment

CODES = {"dftsp": "c0", "no_batching": "c1"}


def _experiment(name, numbers):
    """Numbered settings, each for two schedulers."""
    points = tuple(
        Point(f"{number:03d}{scheduler[0]}", scheduler, {"load": number, "scheduler": scheduler})
        for number in numbers
        for scheduler in CODES
    )
    return dataclasses.replace(make_experiment(name), points=points, codes=CODES)


def _experiments(**numbers):
    return {name: _experiment(name, chosen) for name, chosen in numbers.items()}


def _needed(experiments):
    return {name: {e.result(point) for point in e.points} for name, e in experiments.items()}


def test_every_run_is_in_one_batch():
    experiments = _experiments(a=range(40), b=range(30, 100), c=range(0, 100, 7))
    held = [run.result for batch in partition(experiments).values() for run in batch.runs]
    assert sorted(held) == sorted(set.union(*_needed(experiments).values()))


def test_a_batch_has_the_runs_of_one_code_and_not_too_many():
    for batch in partition(_experiments(a=range(40), b=range(30, 100))).values():
        assert 1 <= len(batch.runs) <= BATCH_SIZE
        assert len({run.result.partition("-")[2] for run in batch.runs}) == 1


def test_the_runs_of_a_batch_are_those_that_its_experiments_share():
    experiments = _experiments(a=range(40), b=range(30, 100), c=range(0, 100, 7))
    needed = _needed(experiments)
    for batch in partition(experiments).values():
        for run in batch.runs:
            assert batch.experiments == tuple(name for name in needed if run.result in needed[name])


def test_the_order_of_a_sweep_does_not_change_the_batches():
    numbers = list(range(60))
    random.Random(7).shuffle(numbers)
    shuffled = partition(_experiments(a=numbers, b=range(9)))
    assert set(shuffled) == set(partition(_experiments(a=range(60), b=range(9))))


def test_a_value_more_in_one_experiment_leaves_the_batches_of_the_others_alone():
    before = partition(_experiments(a=range(40), b=range(30, 100)))
    after = partition(_experiments(a=[*range(40), 200], b=range(30, 100)))
    changed = [(before | after)[name] for name in before.keys() ^ after.keys()]
    assert changed
    assert all(batch.experiments == ("a",) for batch in changed)


def test_an_edited_scheduler_leaves_the_batches_of_the_others_alone():
    experiments = _experiments(a=range(40), b=range(30, 100))
    edited = {
        name: dataclasses.replace(experiment, codes=CODES | {"no_batching": "c2"})
        for name, experiment in experiments.items()
    }
    before, after = partition(experiments), partition(edited)
    kept = [batch for name, batch in before.items() if name in after]
    assert {run.result.partition("-")[2] for batch in kept for run in batch.runs} == {"c0"}
    assert len(kept) == len(before) / 2


def test_the_same_sweep_twice_is_simulated_once():
    experiments = _experiments(a=range(5), b=range(5))
    batches = partition(experiments).values()
    assert sum(len(batch.runs) for batch in batches) == 10
    assert {batch.experiments for batch in batches} == {("a", "b")}


def test_a_run_is_told_by_its_values_its_scheduler_and_its_experiment():
    (batch,) = partition({"mine": make_experiment(axes=[{"load": 7, "model": "m"}])}).values()
    assert [run.words for run in batch.runs] == ["7, m (mine)"]
    assert [run.scheduler for run in batch.runs] == ["dftsp"]


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ({"scael": "smoke"}, r"^--config: scael: .*did you mean scale\?"),
        ({"most_settings": 0}, "^--config: most_settings: found 0, expected a whole number at least 1"),
        ({"scale": 3}, "^--config: scale: found"),
    ],
)
def test_an_option_that_there_is_not_is_refused(config, line):
    with pytest.raises(InputError, match=line):
        read_options(config)


def test_options_have_the_defaults_of_a_full_run():
    assert (read_options({}).scale, read_options({}).most_settings) == ("full", None)
    assert read_options({"scale": "smoke", "most_settings": 9}).most_settings == 9
