import dataclasses
from itertools import chain, combinations

import numpy as np
import pytest

from edgebatch import InfeasibleSchedule, Quantization, Schedule, check
from edgebatch.model.roofline import Roofline
from tests.edgebatch.instances import sample, unit_instance
from tests.edgebatch.oracle import judge

# Two requests with s = n = 1: 32 FLOPs, which take 2 s, and 12 + 2 * 8 = 28 bytes.
# Each of these budgets is used up exactly.
FULL = {
    "memory": {"memory_bytes": 28.0},
    "compute slot": {"compute_s": 2.0},
    "slack": {"slack_s": [10.0, 2.0]},
    "flops": {"flops": 16.0, "compute_s": 2.0},
    "uplink": {"uplink": [0.25, 0.75]},
    "downlink": {"downlink": [0.75, 0.25]},
    "accuracy": {"required": [0.0, 0.5], "quantization": Quantization(16, 16, 1.0, 0.5)},
}
EXCEEDED = {
    "memory": ({"memory_bytes": 28 / (1 + 1e-6)}, "memory: load 28.0 exceeds the budget 27.99"),
    "compute slot": ({"compute_s": 2 / (1 + 1e-6)}, "compute: load 2.0 exceeds the budget 1.99"),
    "slack": ({"slack_s": [10.0, 2 / (1 + 1e-6)]}, "compute: load 2.0 exceeds the budget 1.99"),
    "flops": ({"flops": 16 / (1 + 1e-6), "compute_s": 2.0}, "compute: load 2.00000"),
    "uplink": ({"uplink": [0.25, 0.75 + 1e-6]}, "uplink: load 1.000001"),
    "downlink": ({"downlink": [0.75 + 1e-6, 0.25]}, "downlink: load 1.000001"),
    "accuracy": (
        {"required": [0.0, 0.5 + 1e-6], "quantization": Quantization(16, 16, 1.0, 0.5)},
        "request 1 requires more accuracy",
    ),
}
BOTH = Schedule((0, 1), upper_bound=2)


def _refusal(instance, schedule) -> str:
    with pytest.raises(InfeasibleSchedule) as refusal:
        check(instance, schedule)
    return str(refusal.value)


@pytest.mark.parametrize("budget", FULL)
def test_a_load_exactly_at_its_budget_is_accepted(budget):
    assert check(unit_instance([1, 1], **FULL[budget]), BOTH).compute_time_s == 2.0


@pytest.mark.parametrize("budget", EXCEEDED)
def test_a_load_a_millionth_above_its_budget_is_refused_by_name(budget):
    changes, message = EXCEEDED[budget]
    assert _refusal(unit_instance([1, 1], **changes), BOTH).startswith(message)


@pytest.mark.parametrize("budget", EXCEEDED)
def test_one_of_the_two_alone_is_within_every_budget(budget):
    check(unit_instance([1, 1], **EXCEEDED[budget][0]), Schedule((0,), upper_bound=2))


def test_loads_by_hand():
    # padded to 2: 40 + 64 FLOPs at 0.5 s for 16 of them; weights 12 / 2, cache 4 (3 + 4) / 4
    instance = unit_instance(
        [2, 1, 5],
        [1, 2, 5],
        slack_s=[9.0, 7.0, 1.0],
        uplink=[0.25, 0.5, 9.0],
        downlink=[0.125, 0.25, 9.0],
        quantization=Quantization(weight_bits=8, kv_bits=4, compute_factor=0.5, accuracy=1.0),
    )
    loads = check(instance, BOTH)
    assert dataclasses.asdict(loads) == {
        "uplink_share": 0.75,
        "downlink_share": 0.375,
        "memory_bytes": 6 + 7,
        "compute_time_s": 104 / 16 / 2,
        "deadline_s": 7.0,
        "padded_prompt_tokens": 2,
    }


def test_prompts_are_padded_to_the_fixed_length():
    loads = check(unit_instance([1, 1], padding=2), BOTH)
    assert (loads.padded_prompt_tokens, loads.compute_time_s, loads.memory_bytes) == (2, 5.0, 36.0)


def test_an_empty_schedule_is_accepted_even_where_the_weights_do_not_fit():
    loads = check(unit_instance([1], memory_bytes=1.0), Schedule(()))
    assert (loads.compute_time_s, loads.uplink_share, loads.padded_prompt_tokens) == (0, 0, 0)


def test_checker_accepts_exactly_the_batches_that_the_constraints_allow():
    verdicts = []
    for instance in sample(96, requests=6):
        allows = judge(instance)
        for batch in chain.from_iterable(combinations(range(6), size) for size in range(1, 7)):
            try:
                check(instance, Schedule(batch, upper_bound=6))
                verdicts.append((True, allows(batch)))
            except InfeasibleSchedule:
                verdicts.append((False, allows(batch)))
    assert all(found == expected for found, expected in verdicts)
    assert 0.1 < np.mean([expected for _, expected in verdicts]) < 0.9


@pytest.mark.parametrize(
    "schedule",
    [Schedule((0, 0), upper_bound=2), Schedule((0,), missed=(0,), upper_bound=2)],
    ids=["selected twice", "selected and missed"],
)
def test_a_request_scheduled_twice_is_refused(schedule):
    assert _refusal(unit_instance([1, 1]), schedule) == "a request is scheduled twice"


@pytest.mark.parametrize("schedule", [Schedule((2,), upper_bound=2), Schedule((-1,), upper_bound=2)])
def test_a_request_that_is_not_there_is_refused(schedule):
    assert _refusal(unit_instance([1, 1]), schedule).startswith("a request outside the 2 of the instance")


def test_a_missed_request_that_is_not_there_is_refused():
    schedule = Schedule((), missed=(7,), upper_bound=2)
    assert _refusal(unit_instance([1, 1]), schedule).startswith("a request outside")


def test_a_size_over_its_own_bound_is_refused():
    assert (
        _refusal(unit_instance([1, 1]), Schedule((0, 1), upper_bound=1)) == "size 2 exceeds its own bound 1"
    )


def test_a_missed_request_sets_no_deadline_but_loads_every_budget():
    instance = unit_instance([1, 1], slack_s=[10.0, 0.5], uplink=0.5, downlink=0.25)
    loads = check(instance, Schedule((0,), missed=(1,), upper_bound=2))
    assert (loads.compute_time_s, loads.deadline_s) == (2.0, 10.0)
    assert (loads.uplink_share, loads.downlink_share, loads.memory_bytes) == (1.0, 0.5, 28.0)


@pytest.mark.parametrize("budget", ["memory", "compute slot", "uplink", "downlink"])
def test_missed_requests_cannot_exceed_a_budget_of_the_node(budget):
    changes, message = EXCEEDED[budget]
    assert _refusal(unit_instance([1, 1], **changes), Schedule((0,), missed=(1,), upper_bound=2)).startswith(
        message
    )


def _queued(*queues, missed=()):
    selected = tuple(sorted(i for queue in queues for i in queue if i not in missed))
    return Schedule(selected, missed, device_queues=queues, upper_bound=9)


def test_devices_serve_one_by_one_unpadded_at_an_equal_part_of_the_flops():
    # 8 FLOPS a device: (1, 1) takes 2 s, (2, 1) 5 s; cache 4 (2 or 3) for the longest of each device
    instance = unit_instance([1, 2, 1], devices=2, uplink=0.25, downlink=0.125)
    loads = check(instance, _queued((0, 2), (1,)))
    assert (loads.compute_time_s, loads.deadline_s, loads.padded_prompt_tokens) == (5.0, 100.0, 0)
    assert (loads.memory_bytes, loads.uplink_share, loads.downlink_share) == (12 + 8 + 12, 0.75, 0.375)


def test_a_device_under_roofline_has_its_part_of_the_bandwidth_too():
    # 4 bytes/s and 8 FLOPS a device: 16, 20 and 24 bytes for three tokens take longer than as many FLOPs
    instance = unit_instance([1, 1], [3, 1], devices=2, slack_s=15.0)
    system = dataclasses.replace(instance.system, cost=Roofline(8.0))
    loads = check(dataclasses.replace(instance, system=system), _queued((0,), (1,)))
    assert loads.compute_time_s == 60 / 4


@pytest.mark.parametrize("devices", [1, 20])
def test_the_slowest_node_that_a_float_can_hold_is_a_refusal_and_no_crash(devices):
    slow = unit_instance([1], flops=5e-324, devices=devices)
    assert _refusal(slow, _queued((0,))).startswith("compute of request 0: load inf")


def test_each_request_of_a_device_has_a_deadline_of_its_own():
    # the second of the queue is done at 4 s
    check(unit_instance([1, 1], slack_s=[2.0, 4.0], devices=2), _queued((0, 1)))
    late = unit_instance([1, 1], slack_s=[2.0, 4 / (1 + 1e-6)], devices=2)
    assert _refusal(late, _queued((0, 1))).startswith("compute of request 1: load 4.0")


def test_the_compute_slot_bounds_every_request_of_a_device():
    late = unit_instance([1, 1], compute_s=4 / (1 + 1e-6), devices=2)
    assert _refusal(late, _queued((0, 1))).startswith("compute of request 1: load 4.0")


def test_a_missed_request_delays_those_behind_it_on_its_device():
    instance = unit_instance([1, 1], slack_s=[1.0, 3.0], devices=2)
    check(instance, _queued((0,), (1,), missed=(0,)))
    assert _refusal(instance, _queued((0, 1), missed=(0,))).startswith("compute of request 1: load 4.0")


def test_more_queues_than_devices_are_refused():
    assert _refusal(unit_instance([1, 1], devices=1), _queued((0,), (1,))) == "2 queues for 1 devices"


@pytest.mark.parametrize("queues", [((0,),), ((0, 1), (1,)), ((0, 1, 2),)])
def test_queues_hold_exactly_the_scheduled_requests(queues):
    schedule = Schedule((0, 1), device_queues=queues, upper_bound=3)
    assert _refusal(unit_instance([1, 1, 1], devices=2), schedule).startswith("the queues of the devices")


def test_a_device_keeps_the_cache_of_its_longest_request_and_an_idle_one_none():
    # 12 of weights and 4 (2 + 3) bytes; 16 FLOPs and 40 + 2 * 26 at 20 FLOPS a device
    instance = unit_instance([1, 2], [1, 3], devices=3, flops=60.0)
    for queue in ((0, 1), (1, 0)):
        loads = check(instance, _queued(queue, (), ()))
        assert loads.memory_bytes == 12 + 20
        assert loads.compute_time_s == pytest.approx((16 + 40 + 2 * 26) / 20, rel=1e-12)


def test_devices_that_serve_nobody_in_time_take_no_time():
    loads = check(unit_instance([1], slack_s=0.5), _queued((0,), missed=(0,)))
    assert (loads.compute_time_s, loads.deadline_s) == (0.0, 100.0)


def test_memory_holds_the_longest_request_of_every_device():
    # 12 + 8 on one device; 12 + 8 + 8 on two
    instance = unit_instance([1, 1], devices=2, memory_bytes=20.0)
    check(instance, _queued((0, 1)))
    assert _refusal(instance, _queued((0,), (1,))).startswith("memory: load 28.0")


@pytest.mark.parametrize("budget", ["uplink", "downlink", "accuracy"])
def test_devices_too_are_refused_what_the_bands_and_the_model_do_not_offer(budget):
    changes, message = EXCEEDED[budget]
    assert _refusal(unit_instance([1, 1], **changes), _queued((0, 1))).startswith(message)
