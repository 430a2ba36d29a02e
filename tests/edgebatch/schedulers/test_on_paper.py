"""Four requests to the unit model, solved by hand; every budget rules something out.

                s  n  slack_s  uplink  downlink    FLOPs padded to 1   padded to 2
    r0          1  1       10    0.50      0.50           16                40
    r1          1  2       10    0.75      0.25           36                64
    r2          2  1       10    0.50      0.25            -                40
    r3          1  1        3    0.25      0.75           16                40

The node does 16 FLOPS within a compute slot of 5 s, that is 80 FLOPs, 48 of them within the 3 s of r3.
It has 36 bytes: 12 of weights, and 4 for each token of the cache.
"""

import dataclasses
from itertools import combinations

import pytest

from edgebatch import InfeasibleSchedule, Schedule, check, solve
from tests.edgebatch.instances import take, unit_instance, with_system
from tests.edgebatch.oracle import judge

EXACT = ("dftsp", "brute_force", "enumeration")


def _four(**changes):
    budgets = {"flops": 16.0, "compute_s": 5.0, "memory_bytes": 36.0}
    return unit_instance(
        prompts=[1, 1, 2, 1],
        outputs=[1, 2, 1, 1],
        slack_s=[10.0, 10.0, 10.0, 3.0],
        uplink=[0.5, 0.75, 0.5, 0.25],
        downlink=[0.5, 0.25, 0.25, 0.75],
        **budgets | changes,
    )


BROKEN = {
    (0, 1): {"uplink"},  # 0.5 + 0.75; but 52 FLOPs of 80, 12 + 4 (2 + 3) = 32 bytes
    (0, 3): {"downlink"},  # 0.5 + 0.75; but 32 FLOPs of 48
    (1, 2): {"uplink", "compute", "memory"},  # 0.75 + 0.5, 104 FLOPs of 80, 12 + 4 (4 + 3) = 40 bytes
    (1, 3): {"compute"},  # 52 FLOPs of 48
    (2, 3): {"compute"},  # 80 FLOPs of 48
    (0, 1, 2): {"uplink", "compute", "memory"},
    (0, 1, 3): {"uplink", "downlink", "compute", "memory"},
    (0, 2, 3): {"uplink", "downlink", "compute", "memory"},
    (1, 2, 3): {"uplink", "downlink", "compute", "memory"},
    (0, 1, 2, 3): {"uplink", "downlink", "compute", "memory"},
}
LOOSE = {
    "uplink": lambda four: dataclasses.replace(four, uplink_share=[0.0] * 4),
    "downlink": lambda four: dataclasses.replace(four, downlink_share=[0.0] * 4),
    "memory": lambda four: with_system(four, "edge_node", memory_bytes=1000.0),
    "compute": lambda four: with_system(four, "edge_node", flops=1000.0),
}


@pytest.mark.parametrize("scheduler", EXACT)
def test_the_only_pair_that_fits_is_found(scheduler):
    schedule = solve(_four(), scheduler)
    assert (schedule.selected, schedule.upper_bound, schedule.optimal) == ((0, 2), 2, True)


@pytest.mark.parametrize("scheduler", EXACT)
def test_the_pair_is_found_in_any_order_of_arrival(scheduler):
    assert solve(take(_four(), [3, 2, 1, 0]), scheduler).selected == (1, 3)


def test_the_pair_uses_compute_time_and_memory_and_uplink_to_the_last():
    # both padded to 2: 40 + 40 FLOPs, 12 + 4 * 2 (2 + 1) bytes, 0.5 + 0.5
    loads = check(_four(), Schedule((0, 2), upper_bound=2))
    assert (loads.compute_time_s, loads.deadline_s) == (5.0, 5.0)
    assert (loads.memory_bytes, loads.uplink_share, loads.downlink_share) == (36.0, 1.0, 0.75)


@pytest.mark.parametrize("batch", BROKEN)
def test_each_other_batch_breaks_the_budgets_worked_out_by_hand(batch):
    for budget in LOOSE:
        only_this = _four()
        for other in LOOSE:
            only_this = only_this if other == budget else LOOSE[other](only_this)
        if budget in BROKEN[batch]:
            with pytest.raises(InfeasibleSchedule, match=rf"^{budget}: "):
                check(only_this, Schedule(batch, upper_bound=4))
        else:
            check(only_this, Schedule(batch, upper_bound=4))
        assert judge(only_this)(batch) == (budget not in BROKEN[batch])


def test_these_are_all_batches_but_the_pair_and_the_single_requests():
    batches = {batch for size in (2, 3, 4) for batch in combinations(range(4), size)}
    assert batches == {(0, 2), *BROKEN}


@pytest.mark.parametrize("scheduler", EXACT)
@pytest.mark.parametrize("tighter", [{"memory_bytes": 35.0}, {"compute_s": 4.9}, {"flops": 15.9}])
def test_without_the_last_of_a_budget_one_request_is_the_most(scheduler, tighter):
    assert solve(_four(**tighter), scheduler).size == 1


@pytest.mark.parametrize("scheduler", EXACT)
def test_with_prompts_padded_to_2_the_same_pair_is_the_most(scheduler):
    assert solve(_four(padding=2), scheduler).selected == (0, 2)


@pytest.mark.parametrize("scheduler", EXACT)
def test_with_prompts_padded_to_3_one_request_is_the_most(scheduler):
    # (3, 1) costs 72 FLOPs, a pair at least 144
    assert solve(_four(padding=3), scheduler).size == 1
