import pytest

from edgebatch import Schedule, check
from edgebatch.model.workload import Requests
from edgebatch.simulation import Epoch
from edgebatch_artifact.runs.simulate import METRICS, measure
from tests.edgebatch.instances import unit_instance


@pytest.fixture
def measured():
    """Three epochs of 100.5 s: two of three requests, proven; one of three, bounded by 3; nobody of none."""
    schedules = (
        Schedule((0, 1), upper_bound=2, nodes_visited=5),
        Schedule((0,), missed=(1,), upper_bound=3, nodes_visited=1, node_limit_reached=True),
        Schedule((), upper_bound=0),
    )
    instances = [unit_instance([1] * number, uplink=0.25) for number in (3, 3, 0)]
    epochs = [Epoch(x, s, check(x, s)) for x, s in zip(instances, schedules, strict=True)]
    arrived = unit_instance([1] * 9)
    requests = Requests(
        arrival_s=arrived.waited_s,
        prompt_tokens=arrived.prompt_tokens,
        output_tokens=arrived.output_tokens,
        latency_s=arrived.latency_s,
        accuracy=arrived.accuracy,
        uplink_share=arrived.uplink_share[:, None],
        downlink_share=arrived.downlink_share[:, None],
    )
    return measure(instances[0].system, requests, epochs)


def test_a_run_measures_what_it_says(measured):
    assert tuple(measured) == METRICS


def test_bounds_and_proofs_are_means_over_epochs(measured):
    assert measured["upper_bound"] == pytest.approx(5 / 3)
    assert measured["proven"] == pytest.approx(2 / 3)
    assert measured["batch_size"] == 1
    assert measured["nodes"] == 2
    assert measured["cut_off"] == pytest.approx(1 / 3)
    assert measured["candidates"] == 2


def test_rates_are_per_second_of_all_epochs(measured):
    assert measured["throughput_per_s"] == pytest.approx(3 / 301.5)
    assert measured["missed_per_s"] == pytest.approx(1 / 301.5)
    assert measured["offered_per_s"] == pytest.approx(9 / 301.5)


def test_loads_are_means_over_the_epochs_that_serve_somebody(measured):
    # two requests run in each of them
    assert measured["uplink_load"] == pytest.approx(0.5)
