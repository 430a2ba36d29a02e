import dataclasses

import numpy as np
import pytest

from edgebatch import InfeasibleSchedule, InputError, Quantization, Schedule, Slots, check
from edgebatch.model.radio import MacroCell
from edgebatch.model.roofline import Roofline
from edgebatch.model.workload import Requests, draw_requests
from edgebatch.schedulers import get, names
from edgebatch.simulation import simulate
from tests.edgebatch.instances import BLOOM_3B, unit_instance, with_system
from tests.edgebatch.model.test_radio import a_radio
from tests.edgebatch.model.test_workload import a_workload

# Epochs of 2 s, 1.5 of them for compute; a request with s = n = 1 alone takes 1 s.
SYSTEM = unit_instance([1], compute_s=1.5).system


def _arrivals(arrival_s, latency_s=None, accuracy=0.0, columns=8) -> Requests:
    number = len(arrival_s)
    if latency_s is None:
        latency_s = 100.0 + np.arange(number)
    return Requests(
        arrival_s=np.array(arrival_s, dtype=float),
        prompt_tokens=np.ones(number, dtype=np.int64),
        output_tokens=np.ones(number, dtype=np.int64),
        latency_s=np.broadcast_to(latency_s, number).astype(float),
        accuracy=np.broadcast_to(accuracy, number).astype(float),
        uplink_share=np.arange(number * columns).reshape(number, columns) / 1024,
        downlink_share=np.zeros((number, columns)),
    )


def _none(instance):
    return Schedule((), upper_bound=instance.size)


def _first(instance):
    return Schedule((0,) if instance.size else (), upper_bound=instance.size)


def _lose_first(instance):
    return Schedule((), missed=(0,) if instance.size else (), upper_bound=instance.size)


def _numbers(requests, instance) -> list[int]:
    """Which requests the candidates are: no two of them have the same latency requirement."""
    return [requests.latency_s.tolist().index(latency_s) for latency_s in instance.latency_s]


def _candidates(requests, epochs=3, scheduler=_none, system=SYSTEM):
    return [_numbers(requests, epoch.instance) for epoch in simulate(system, requests, epochs, scheduler)]


def test_a_request_that_arrives_in_one_epoch_is_a_candidate_in_the_next():
    # epochs start at 2, 4 and 6 s; 4.0 is the start of an epoch, not before it
    assert _candidates(_arrivals([0.5, 3.9, 4.0])) == [[0], [0, 1], [0, 1, 2]]


def test_a_request_has_waited_from_its_arrival_to_the_start_of_the_epoch():
    waits = [epoch.instance.waited_s.tolist() for epoch in simulate(SYSTEM, _arrivals([0.5, 2.0]), 3, _none)]
    assert waits == [[1.5], [3.5, 2.0], [5.5, 4.0]]


def test_a_candidate_stays_while_it_could_be_served_alone_in_time_and_then_expires():
    # slack 5 - 0.5 - wait: 3 after 1.5 s, 1 after 3.5 s, which is just enough, and -1 after 5.5 s
    assert _candidates(_arrivals([0.5], latency_s=5.0)) == [[0], [0], []]


def test_a_candidate_with_a_hair_less_time_expires_one_epoch_earlier():
    assert _candidates(_arrivals([0.5], latency_s=5.0 - 1e-6)) == [[0], [], []]


def test_under_roofline_a_candidate_stays_while_memory_could_serve_it_alone_in_time():
    # alone 16 bytes at 16 / 1.5 bytes/s, not 1 s of arithmetic: of slack 5 - 0.5 - wait, 1 is not enough
    system = dataclasses.replace(SYSTEM, cost=Roofline(16 / 1.5))
    assert _candidates(_arrivals([0.5], latency_s=5.0), system=system) == [[0], [], []]
    assert _candidates(_arrivals([0.5], latency_s=5.5), system=system) == [[0], [0], []]


def test_a_request_that_no_compute_slot_can_hold_is_never_a_candidate():
    assert _candidates(_arrivals([0.5]), system=unit_instance([1], compute_s=0.9).system)[0] == []


def test_a_served_request_is_gone():
    assert _candidates(_arrivals([0.5, 0.6]), scheduler=_first) == [[0, 1], [1], []]


def test_a_missed_request_is_gone():
    assert _candidates(_arrivals([0.5, 0.6]), scheduler=_lose_first) == [[0, 1], [1], []]


def test_a_request_that_needs_more_accuracy_than_is_offered_is_turned_away():
    system = unit_instance([1], compute_s=1.5, quantization=Quantization(16, 16, 1.0, 0.5)).system
    requests = _arrivals([0.1, 0.2, 0.3], accuracy=[0.4, 0.5, 0.6])
    assert _candidates(requests, epochs=1, system=system) == [[0, 1]]


def test_a_candidate_that_waits_meets_another_channel_in_every_epoch():
    # request 1 arrives an epoch later: its first column when the other is at its second
    shares = [
        epoch.instance.uplink_share.tolist() for epoch in simulate(SYSTEM, _arrivals([0.5, 2.5]), 3, _none)
    ]
    assert shares == [[0], [1 / 1024, 8 / 1024], [2 / 1024, 9 / 1024]]


def test_a_candidate_that_outlives_its_channels_keeps_the_last():
    epochs = simulate(SYSTEM, _arrivals([0.5], columns=2), 4, _none)
    assert [epoch.instance.uplink_share.tolist() for epoch in epochs] == [
        [0.0],
        [1 / 1024],
        [1 / 1024],
        [1 / 1024],
    ]


def test_candidates_are_in_order_of_arrival_whatever_was_served_before():
    requests = _arrivals([0.1, 0.2, 0.3, 2.1])
    serve_second = lambda instance: Schedule((1,), upper_bound=instance.size)  # noqa: E731
    assert _candidates(requests, 2, serve_second)[1] == [0, 2, 3]


def test_the_longest_admitted_lengths_reach_the_scheduler():
    (epoch,) = simulate(SYSTEM, _arrivals([0.5]), 1, _none, longest_tokens=(512, 256))
    assert (epoch.instance.longest_prompt_tokens, epoch.instance.longest_output_tokens) == (512, 256)


def test_a_scheduler_that_breaks_a_constraint_ends_the_run():
    greedy = lambda instance: Schedule(tuple(range(instance.size)), upper_bound=instance.size)  # noqa: E731
    with pytest.raises(InfeasibleSchedule, match="compute"):
        list(simulate(SYSTEM, _arrivals([0.5, 0.6]), 1, greedy))


def test_an_epoch_tells_what_its_schedule_uses():
    (epoch,) = simulate(SYSTEM, _arrivals([0.5]), 1, _first)
    assert epoch.loads == check(epoch.instance, epoch.schedule)
    assert epoch.loads.compute_time_s == 1.0


EPOCHS = 8
NOMINAL = dataclasses.replace(
    SYSTEM,
    slots=Slots(0.25, 1.5, 0.25),
    llm=BLOOM_3B,
    quantization=Quantization(8, 16, 1 / 1.5, 0.9),
    edge_node=dataclasses.replace(SYSTEM.edge_node, flops=6.65e12, memory_bytes=8e9, devices=5),
)
REQUESTS = draw_requests(
    a_workload(arrival_rate=5.0, payload_bits=3e6),
    a_radio(mean_gain=None, macro_cell=MacroCell(128.1, 37.6, 250.0, 35.0, 8.0), fading="separate"),
    NOMINAL.slots,
    EPOCHS,
    seed=3,
)


def _run(scheduler):
    return list(simulate(NOMINAL, REQUESTS, EPOCHS, get(scheduler), longest_tokens=(512, 512)))


def _history(run):
    """For each epoch, which requests were candidates, and which of them ran."""
    for epoch in run:
        candidates = _numbers(REQUESTS, epoch.instance)
        yield candidates, [candidates[i] for i in epoch.schedule.selected + epoch.schedule.missed]


def _epochs_in_time(i) -> list[int]:
    """Epochs at whose start request `i` has arrived and could still be served alone in time."""
    flops = BLOOM_3B.request_flops(int(REQUESTS.prompt_tokens[i]), int(REQUESTS.output_tokens[i]))
    alone_s = flops / 1.5 / 6.65e12
    arrival_s, latency_s = float(REQUESTS.arrival_s[i]), float(REQUESTS.latency_s[i])
    return [
        epoch
        for epoch in range(1, EPOCHS + 1)
        if arrival_s < 2 * epoch and alone_s <= min(1.5, latency_s - (2 * epoch - arrival_s) - 0.5)
    ]


@pytest.mark.parametrize("scheduler", names())
def test_a_request_is_a_candidate_from_its_arrival_until_it_runs_or_runs_out_of_time(scheduler):
    seen = {i: [] for i in range(REQUESTS.arrival_s.size)}
    ran_in = {}
    for epoch, (candidates, ran) in enumerate(_history(_run(scheduler)), start=1):
        assert not set(ran) & set(ran_in)
        ran_in |= dict.fromkeys(ran, epoch)
        for i in candidates:
            seen[i].append(epoch)
    for i, epochs in seen.items():
        welcome, last = REQUESTS.accuracy[i] <= 0.9, ran_in.get(i, EPOCHS)
        assert epochs == [epoch for epoch in _epochs_in_time(i) if welcome and epoch <= last]


@pytest.mark.parametrize("scheduler", names())
def test_every_welcome_request_is_served_or_missed_or_expired_or_left_at_the_end(scheduler):
    run = _run(scheduler)
    served = sum(epoch.schedule.size for epoch in run)
    missed = sum(len(epoch.schedule.missed) for epoch in run)
    left = run[-1].instance.size - run[-1].schedule.size - len(run[-1].schedule.missed)
    all_that_ran = {i for _, ran in _history(run) for i in ran}
    welcome = [i for i in range(REQUESTS.arrival_s.size) if REQUESTS.accuracy[i] <= 0.9]
    expired = [i for i in welcome if i not in all_that_ran and EPOCHS not in _epochs_in_time(i)]
    assert served + missed + len(expired) + left == len(welcome)
    assert served > 0
    assert expired


def test_all_schedulers_meet_the_same_requests():
    before = REQUESTS.uplink_share.tobytes(), REQUESTS.arrival_s.tobytes()
    first = [_run(scheduler)[0].instance for scheduler in names()]
    assert all(instance.uplink_share.tobytes() == first[0].uplink_share.tobytes() for instance in first)
    assert all(instance.latency_s.tobytes() == first[0].latency_s.tobytes() for instance in first)
    assert all(instance.waited_s.tobytes() == first[0].waited_s.tobytes() for instance in first)
    assert before == (REQUESTS.uplink_share.tobytes(), REQUESTS.arrival_s.tobytes())


@pytest.mark.parametrize("scheduler", names())
def test_the_same_run_gives_the_same_schedules(scheduler):
    once, again = _run(scheduler), _run(scheduler)
    assert [epoch.schedule for epoch in once] == [epoch.schedule for epoch in again]
    assert [epoch.loads for epoch in once] == [epoch.loads for epoch in again]


@pytest.mark.parametrize("scheduler", names())
def test_runs_under_roofline_are_feasible_and_serve_more_with_more_bandwidth(scheduler):
    def served(bandwidth):
        system = dataclasses.replace(NOMINAL, cost=Roofline(bandwidth))
        run = simulate(system, REQUESTS, EPOCHS, get(scheduler), longest_tokens=(512, 512))
        try:
            return sum(epoch.schedule.size for epoch in run)
        except InputError as refusal:
            if refusal.key != "cost":
                raise
            pytest.skip(str(refusal))

    assert served(3e13) > served(2e11)


def test_a_run_without_requests_has_empty_epochs():
    epochs = list(simulate(SYSTEM, _arrivals([]), 3, get("dftsp")))
    assert [epoch.schedule.size for epoch in epochs] == [0, 0, 0]


def test_a_faster_node_serves_more():
    instance = dataclasses.replace(unit_instance([1]), system=NOMINAL)
    faster = with_system(instance, "edge_node", flops=4 * 6.65e12).system
    slow = sum(epoch.schedule.size for epoch in _run("dftsp"))
    fast = sum(epoch.schedule.size for epoch in simulate(faster, REQUESTS, EPOCHS, get("dftsp")))
    assert fast > slow
