"""Schedules that were made with expected output lengths, at the true ones."""

import dataclasses

import numpy as np

from edgebatch import Schedule, check
from edgebatch.hindsight import in_hindsight
from tests.edgebatch.instances import KINDS, random_instance


def _random(number):
    rng = np.random.default_rng([7, number])
    return random_instance(rng, int(rng.integers(1, 16)), **KINDS[number % len(KINDS)])


def test_with_exact_lengths_hindsight_changes_nothing():
    from edgebatch import schedulers

    for number in range(60):
        instance = _random(number)
        schedule = schedulers.get("surrogate")(instance)
        judged, loads = in_hindsight(instance, schedule)
        assert judged.selected == schedule.selected
        assert judged.missed == ()
        assert np.isclose(loads.memory_bytes, check(instance, schedule).memory_bytes) or not schedule.size


def test_longer_answers_never_serve_more_and_lose_nobody():
    from edgebatch import schedulers

    lost = 0
    for number in range(60):
        instance = _random(number)
        schedule = schedulers.get("surrogate")(instance)
        true = dataclasses.replace(instance, output_tokens=3 * instance.output_tokens)
        judged, _ = in_hindsight(true, schedule)
        assert sorted(judged.selected + judged.missed) == list(schedule.selected)
        lost += len(judged.missed)
    assert lost > 20


def test_a_batch_is_cut_at_the_end_of_memory_in_order_of_arrival():
    instance = _random(0)
    system = dataclasses.replace(
        instance.system,
        edge_node=dataclasses.replace(instance.system.edge_node, memory_bytes=instance.system.weight_bytes),
    )
    true = dataclasses.replace(instance, system=system)
    everybody = tuple(range(instance.size))
    judged, _ = in_hindsight(true, Schedule(everybody, upper_bound=instance.size))
    assert judged.selected == ()
    assert judged.missed == everybody
