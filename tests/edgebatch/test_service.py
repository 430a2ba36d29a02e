"""What users see of a run, under epochs and under continuous batching."""

import dataclasses

import numpy as np
import pytest

from edgebatch import schedulers
from edgebatch.epoch_service import epoch_service
from edgebatch.metrics import METRICS, draw, measure_continuous
from edgebatch.service import Service, measure_service
from edgebatch.serving import Limits
from edgebatch.serving.policies import names
from edgebatch.serving.run import serve
from edgebatch.setting import SchedulerChoice, Setting, Simulation
from edgebatch.simulation import simulate
from tests.edgebatch.model.test_radio import a_radio
from tests.edgebatch.model.test_workload import a_workload
from tests.edgebatch.serving.test_continuous import _system

NAN = float("nan")


@pytest.fixture(scope="module")
def setting():
    """A small node under more requests than it can serve."""
    slots = {"uplink_s": 0.05, "compute_s": 0.3, "downlink_s": 0.05}
    system = _system(bandwidth=1e8)
    system = dataclasses.replace(system, slots=dataclasses.replace(system.slots, **slots))
    choice = SchedulerChoice("exact_admission", {})
    limits = Limits(64, 2048)
    return Setting(system, a_radio(), a_workload(arrival_rate=30.0), choice, Simulation(20, 1), limits)


def test_metrics_are_over_all_arrivals_and_percentiles_over_all_answers():
    service = Service(
        in_time=np.array([True, False, False, False]),
        turned_away=np.array([False, False, False, True]),
        ttft_s=np.array([1.0, 3.0, NAN, NAN]),
        tpot_s=np.array([0.1, NAN, NAN, NAN]),
        latency_s=np.array([2.0, 4.0, NAN, NAN]),
        output_tokens=np.array([10, 1, 100, 100]),
    )
    measured = measure_service(service, 2.0)
    assert measured["goodput_per_s"] == 0.5
    assert measured["attainment"] == 0.25
    assert measured["turned_away_per_s"] == 0.5
    assert measured["tokens_per_s"] == 5.5
    assert measured["ttft_p50_s"] == 2.0
    assert measured["tpot_p99_s"] == pytest.approx(0.1)
    assert measured["latency_p50_s"] == 3.0


@pytest.mark.parametrize("policy", names())
def test_behind_the_radio_nobody_is_answered_before_both_slots_and_the_time_alone(setting, policy):
    requests = draw(setting, 20, 3)
    service, use = serve(setting.system, requests, 8.0, policy, setting.serving)
    answered = np.isfinite(service.latency_s)
    alone_s = setting.system.alone_s(requests.prompt_tokens, requests.output_tokens)
    slots_s = setting.system.slots.uplink_s + setting.system.slots.downlink_s
    assert answered.sum() > 20
    assert (service.latency_s[answered] >= (alone_s + slots_s)[answered] * (1 - 1e-9)).all()
    assert (service.latency_s[service.in_time] <= requests.latency_s[service.in_time] * (1 + 1e-6)).all()
    assert not (service.turned_away & answered).any()
    assert all(
        0 <= use[name] <= 1 for name in ("uplink_load", "downlink_load", "memory_load", "compute_load")
    )


def test_admission_behind_the_radio_breaks_no_promise_either(setting):
    for seed, uplink_s in [(1, 0.02), (2, 0.02), (16, 0.02), (19, 0.05), (29, 0.05), (35, 0.05)]:
        slots = dataclasses.replace(setting.system.slots, uplink_s=uplink_s)
        system = dataclasses.replace(setting.system, slots=slots)
        workload = a_workload(arrival_rate=[3.0, 10.0, 30.0][seed % 3])
        requests = draw(dataclasses.replace(setting, system=system, workload=workload), 20, seed)
        service, use = serve(system, requests, 8.0, "exact_admission", setting.serving)
        assert service.in_time.sum() > 5
        assert use["missed_per_s"] == 0


def test_a_run_of_continuous_batching_has_all_metrics(setting):
    measured = measure_continuous(setting, draw(setting, 20, 3), 20)
    assert tuple(measured) == METRICS
    assert measured["throughput_per_s"] == measured["goodput_per_s"] > 0


@pytest.mark.parametrize("scheduler", ["dftsp", "no_batching"])
def test_the_latency_of_an_epoch_keeps_the_requirement_of_all_it_serves(setting, scheduler):
    requests = draw(setting, 20, 3)
    options = schedulers.options(scheduler)
    epochs = list(
        simulate(setting.system, requests, 20, lambda i: schedulers.get(scheduler)(i, **options), (512, 512))
    )
    service = epoch_service(setting.system, requests, epochs)
    assert service.in_time.sum() == sum(epoch.schedule.size for epoch in epochs) > 5
    served = service.in_time
    assert (service.latency_s[served] <= requests.latency_s[served] * (1 + 1e-6)).all()
    assert (service.ttft_s[served] <= service.latency_s[served]).all()


def test_a_longer_answer_than_expected_is_missed_and_billed(setting):
    requests = draw(setting, 20, 3)
    short = dataclasses.replace(requests, expected_output_tokens=np.ones_like(requests.output_tokens))
    served = {
        name: sum(
            e.schedule.size for e in simulate(setting.system, r, 20, schedulers.get("dftsp"), (512, 512))
        )
        for name, r in (("known", requests), ("short", short))
    }
    assert served["short"] < served["known"]
