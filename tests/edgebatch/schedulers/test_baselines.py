import dataclasses

import numpy as np
import pytest
from hypothesis import given

from edgebatch import InputError, Quantization, check, solve
from edgebatch.model.roofline import Roofline
from edgebatch.schedulers import no_batching, static_batching
from edgebatch.schedulers.static_batching import worst_case_batch_size
from tests.edgebatch.instances import instances, sample, steady, unit_instance, with_system

# A request with s = n = 1 takes 1 s on the whole node.


def _static(instance, **options):
    schedule = static_batching.schedule(instance, **options)
    check(instance, schedule)
    return schedule.selected, schedule.missed


def _single(instance, **options):
    """The queues of the devices that have something to do, and the missed requests."""
    schedule = no_batching.schedule(instance, **options)
    check(instance, schedule)
    return tuple(queue for queue in schedule.device_queues if queue), schedule.missed


@pytest.mark.parametrize(
    ("budgets", "size"),
    [
        # longest admitted (2, 2): 64 FLOPs, 4 s at 16 FLOPS; 4 (2 + 2) = 16 bytes beside 12 of weights
        ({"compute_s": 10.0}, 2),
        ({"compute_s": 12.0}, 3),
        ({"compute_s": 3.9}, 0),
        ({"memory_bytes": 12 + 16 * 5.0}, 5),
        ({"memory_bytes": 12 + 16 * 5.0 - 1}, 4),
        ({"memory_bytes": 11.0}, 0),
        ({"compute_s": 12.0, "memory_bytes": 12 + 16 * 2.0}, 2),
        # half the weights, a quarter of the cache, a quarter of the time
        ({"memory_bytes": 6 + 4 * 5.0, "quantization": Quantization(8, 4, 0.25, 1.0)}, 5),
        ({"compute_s": 3.0, "quantization": Quantization(8, 4, 0.25, 1.0)}, 3),
        # padded to 3: (3, 2) costs 72 + 28 = 100 FLOPs and 20 bytes
        ({"compute_s": 100 * 2 / 16, "padding": 3}, 2),
        ({"memory_bytes": 12 + 20 * 4.0, "padding": 3}, 4),
    ],
)
def test_static_batches_are_as_large_as_the_longest_admitted_requests_allow(budgets, size):
    loose = {"compute_s": 100.0, "memory_bytes": 10_000.0}
    longest = {"longest_prompt_tokens": 2, "longest_output_tokens": 2}
    instance = unit_instance([1] * 8, slack_s=100.0, **longest, **loose | budgets)
    assert worst_case_batch_size(instance) == size
    assert len(_static(instance)[0]) == size


@pytest.mark.parametrize("flops", [16.0, 10.0, 7.0, 2.66e13])
def test_static_batches_use_a_compute_slot_that_they_fill_exactly(flops):
    for size in range(1, 40):
        instance = unit_instance([1], flops=flops, compute_s=size * 16 / flops)
        assert worst_case_batch_size(instance) == size


@pytest.mark.parametrize("kv_bits", [16, 5.7, 3.1])
def test_static_batches_use_a_memory_that_they_fill_exactly(kv_bits):
    for size in range(1, 40):
        memory_bytes = 12 + size * 8 * kv_bits / 16
        quantization = Quantization(16, kv_bits, 1.0, 1.0)
        instance = unit_instance([1], memory_bytes=memory_bytes, quantization=quantization)
        assert worst_case_batch_size(instance) == size


def _under(cost, instance):
    return dataclasses.replace(instance, system=dataclasses.replace(instance.system, cost=cost))


@pytest.mark.parametrize(("compute_s", "size"), [(8.9, 0), (9.0, 1), (14.9, 2), (15.0, 3), (60.0, 18)])
def test_static_batches_under_roofline_are_as_large_as_sharing_the_weights_allows(compute_s, size):
    # longest admitted (1, 2): (12 + 4 b) / 4 and (12 + 8 b) / 4 s for b of them, 6 + 3 b in all; one by one
    # each would take 9 s
    longest = {"longest_prompt_tokens": 1, "longest_output_tokens": 2}
    instance = unit_instance([1] * 30, compute_s=compute_s, memory_bytes=1e4, slack_s=1e3, **longest)
    assert worst_case_batch_size(_under(Roofline(4.0), instance)) == size


def test_feasible_static_batching_under_roofline_counts_the_weights_once():
    # 5 bytes/s: 12 + 4 b bytes, so 16 / 5 s for one and 24 / 5 s for three
    instance = _under(Roofline(5.0), unit_instance([1] * 4, slack_s=4.8))
    assert _static(instance, batch_size=4) == ((0, 1, 2), ())


def test_under_roofline_a_request_that_is_skipped_takes_no_time():
    instance = _under(
        Roofline(5.0), unit_instance([1] * 4, outputs=[1, 10, 1, 1], slack_s=[4.8, 99, 4.8, 4.8])
    )
    assert _static(instance, batch_size=4) == ((0, 2, 3), ())


def test_blind_static_batching_under_roofline_misses_requirements_of_its_batch():
    instance = _under(Roofline(5.0), unit_instance([1] * 3, slack_s=[4.7, 4.8, 9.0]))
    assert _static(instance, batch_size=3, admission="blind") == ((1, 2), (0,))


@pytest.mark.parametrize("admission", ["blind", "deadline_aware"])
def test_each_device_under_roofline_reads_the_weights_at_its_part_of_the_bandwidth(admission):
    # two devices with 4 bytes/s each: 12 + 4 bytes take 4 s, where the batch of both takes 20 / 8 s
    instance = _under(Roofline(8.0), unit_instance([1] * 2, devices=2, slack_s=[4.0, 4.0]))
    assert _single(instance, admission=admission) == (((0,), (1,)), ())
    hurried = _under(Roofline(8.0), unit_instance([1] * 2, devices=2, slack_s=[3.9, 3.9]))
    assert no_batching.schedule(hurried, admission=admission).selected == ()
    assert solve(hurried).selected == (0, 1)


def test_static_batching_is_first_come_first_served_up_to_its_size():
    assert _static(unit_instance([1] * 5), batch_size=3) == ((0, 1, 2), ())
    assert _static(unit_instance([1] * 5), batch_size=1) == ((0,), ())


@pytest.mark.parametrize(
    ("obstacle", "batch"),
    [
        # 3 s for a batch of three: 1 leaves 2 s for the second only
        ({"slack_s": [9.0, 1.5, 9.0, 9.0]}, (0, 2, 3)),
        ({"slack_s": [9.0, 2.0, 9.0, 9.0]}, (0, 1)),
        ({"compute_s": 2.0}, (0, 1)),
        ({"uplink": [0.25, 1.0, 0.5, 0.25]}, (0, 2, 3)),
        ({"downlink": [0.25, 1.0, 0.5, 0.25]}, (0, 2, 3)),
        ({"memory_bytes": 28.0}, (0, 1)),
        ({"required": [0.0, 0.9, 0.0, 0.0], "quantization": Quantization(16, 16, 1.0, 0.5)}, (0, 2, 3)),
    ],
)
def test_feasible_static_batching_skips_what_would_break_a_constraint_and_goes_on(obstacle, batch):
    assert _static(unit_instance([1] * 4, **obstacle), batch_size=3) == (batch, ())


def test_feasible_static_batching_pads_those_that_it_has_when_a_longer_prompt_comes():
    # 1 s for the first; with the second both are padded to 2: 2 * 2.5 s; with the third 1 + 1 s
    instance = unit_instance([1, 2, 1], slack_s=[4.9, 9.0, 9.0])
    assert _static(instance, batch_size=3) == ((0, 2), ())


def test_blind_static_batching_loses_those_whose_requirement_the_batch_misses():
    # three requests take 3 s
    instance = unit_instance([1] * 5, slack_s=[2.0, 3.0, 9.0, 9.0, 9.0])
    assert _static(instance, batch_size=3, admission="blind") == ((1, 2), (0,))
    assert _static(instance, batch_size=3, admission="feasible") == ((0, 1), ())


def test_blind_static_batching_still_keeps_to_the_budgets_of_the_node():
    assert _static(unit_instance([1] * 4, compute_s=2.0), batch_size=3, admission="blind")[0] == (0, 1)
    assert _static(unit_instance([1] * 4, memory_bytes=28.0), batch_size=3, admission="blind")[0] == (0, 1)
    crowded = unit_instance([1] * 4, uplink=[0.25, 1.0, 0.5, 0.25])
    assert _static(crowded, batch_size=3, admission="blind")[0] == (0, 2, 3)


def test_blind_static_batching_can_lose_every_request():
    assert _static(unit_instance([1] * 3, slack_s=2.5), batch_size=3, admission="blind") == ((), (0, 1, 2))


@steady
@given(instances())
def test_feasible_static_batching_misses_nobody(instance):
    assert _static(instance) == (static_batching.schedule(instance).selected, ())


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "many", None])
def test_a_batch_size_that_is_no_whole_number_is_refused(wrong):
    with pytest.raises(
        InputError, match=r"^batch_size: found .*, expected auto or a whole number at least 1"
    ):
        static_batching.schedule(unit_instance([1]), batch_size=wrong)


@pytest.mark.parametrize(
    ("module", "near", "meant"),
    [(static_batching, "feasable", "feasible"), (no_batching, "deadline-aware", "deadline_aware")],
)
def test_an_unknown_admission_is_refused_with_the_nearest_name(module, near, meant):
    with pytest.raises(InputError, match=rf"^admission: found '{near}', .*did you mean {meant}\?"):
        module.schedule(unit_instance([1]), admission=near)


def test_blind_devices_take_one_request_each():
    # at 8 FLOPS each of two devices takes 2 s
    instance = unit_instance([1] * 5, devices=2, slack_s=[9.0, 1.9, 9.0, 9.0, 9.0])
    assert _single(instance, admission="blind") == (((0,), (1,)), (1,))
    assert no_batching.schedule(instance) == no_batching.schedule(instance, admission="blind")


def test_deadline_aware_devices_take_further_requests_that_they_finish_in_time():
    # 2 s each in a slot of 5 s: two for each device; the fifth would be done at 6 s
    instance = unit_instance([1] * 5, devices=2, compute_s=5.0)
    assert _single(instance, admission="deadline_aware") == (((0, 2), (1, 3)), ())


def test_deadline_aware_devices_pass_over_a_request_that_they_would_finish_late():
    # r1 needs 2 s and has 1.9; r3 would be done at 4 s and has 3
    instance = unit_instance([1] * 5, devices=2, slack_s=[9.0, 1.9, 9.0, 3.0, 9.0], compute_s=5.0)
    assert _single(instance, admission="deadline_aware") == (((0, 4), (2,)), ())


def test_the_device_that_is_free_first_takes_the_next_request():
    # (2, 1) takes 5 s on one device, (1, 1) 2 s: the second device is free at 2, then at 4 s
    instance = unit_instance([2, 1, 1, 1], devices=2)
    assert _single(instance, admission="deadline_aware") == (((0,), (1, 2, 3)), ())


@pytest.mark.parametrize(
    "obstacle",
    [
        {"uplink": [0.5, 0.75, 0.5]},
        {"downlink": [0.5, 0.75, 0.5]},
        {"required": [0.0, 0.9, 0.0], "quantization": Quantization(16, 16, 1.0, 0.5)},
    ],
    ids=["uplink", "downlink", "accuracy"],
)
@pytest.mark.parametrize("admission", ["blind", "deadline_aware"])
def test_devices_leave_aside_what_the_bands_and_the_model_do_not_offer(obstacle, admission):
    assert _single(unit_instance([1] * 3, devices=2, **obstacle), admission=admission) == (((0,), (2,)), ())


@pytest.mark.parametrize("admission", ["blind", "deadline_aware"])
def test_devices_leave_aside_what_the_memory_cannot_hold(admission):
    # 12 of weights, 8 for (1, 1), and 12 for (2, 1) that does not fit beside it
    instance = unit_instance([1, 2, 1], devices=2, memory_bytes=28.0)
    assert _single(instance, admission=admission) == (((0,), (2,)), ())


def test_memory_counts_the_longest_request_of_a_device_once():
    instance = unit_instance([1] * 4, devices=2, memory_bytes=28.0)
    assert _single(instance, admission="deadline_aware") == (((0, 2), (1, 3)), ())


def test_idle_devices_need_no_memory():
    assert _single(unit_instance([1], devices=3, memory_bytes=20.0)) == (((0,),), ())


def test_devices_beyond_the_number_of_requests_take_no_room():
    # a file may say that there are a billion
    for admission in ("blind", "deadline_aware"):
        instance = unit_instance([1] * 2, flops=1e6, devices=1000)
        assert len(no_batching.schedule(instance, admission=admission).device_queues) <= 2


def test_devices_do_not_pad():
    # padded to 5 a prompt would take 12.5 s at 16 FLOPS; unpadded it takes 1 s
    assert _single(unit_instance([1], padding=5, slack_s=1.0)) == (((0,),), ())


def test_devices_can_serve_more_than_the_largest_batch():
    # a batch of all four takes 4 s and r0 has 2; two devices finish two each at 2 and 4 s
    instance = unit_instance([1] * 4, devices=2, slack_s=[2.0, 4.0, 4.0, 4.0])
    assert solve(instance).size == 3
    assert len(no_batching.schedule(instance, admission="deadline_aware").selected) == 4


@steady
@given(instances())
def test_blind_devices_never_take_a_second_request(instance):
    queues, _ = _single(instance, admission="blind")
    assert len(queues) <= instance.system.edge_node.devices
    assert all(len(queue) <= 1 for queue in queues)


@steady
@given(instances(at_most=20))
def test_deadline_aware_devices_never_miss(instance):
    assert _single(instance, admission="deadline_aware")[1] == ()


def test_blind_baselines_miss_somebody_somewhere():
    lost = lambda module, x: len(module.schedule(x, admission="blind").missed)  # noqa: E731
    slow = [with_system(x, "edge_node", devices=4) for x in sample(96)]
    assert sum(lost(no_batching, x) for x in slow) > 0
    assert sum(lost(static_batching, x) for x in sample(96)) > 0


@steady
@given(instances(at_most=12))
def test_deadline_aware_devices_with_room_to_spare_serve_all_that_blind_ones_do(instance):
    # each of the first requests finds an idle device in both; elsewhere a request that is passed over
    # can make room for one that keeps out several others
    no_share = np.zeros(instance.size)
    roomy = with_system(instance, "edge_node", memory_bytes=1e15)
    roomy = dataclasses.replace(roomy, uplink_share=no_share, downlink_share=no_share)
    blind = no_batching.schedule(roomy, admission="blind").selected
    assert set(blind) <= set(no_batching.schedule(roomy, admission="deadline_aware").selected)
