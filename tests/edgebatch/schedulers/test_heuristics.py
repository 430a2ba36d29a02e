"""Each heuristic on an instance, made by hand, in which its order alone gives the batch that it gives.

A request with s = n = 1 costs 16 FLOPs and 8 bytes, (1, 2) costs 36 and 12, (2, 1) costs 40 and 12.
"""

import numpy as np
import pytest
from hypothesis import given

from edgebatch import check, solve
from edgebatch.schedulers._admission import admit_in_order
from tests.edgebatch.instances import instances, steady, unit_instance

HEURISTICS = ("shortest_output_first", "earliest_deadline_first", "best_channel_first", "greedy_load")


def _chosen(name, *arguments, **more):
    instance = unit_instance(*arguments, **more)
    schedule = solve(instance, name)
    check(instance, schedule)
    return schedule.selected


def test_shortest_output_first_takes_the_short_outputs_that_arrived_last():
    # memory holds 12 bytes of weights and 20 more: (1, 1) and (1, 1), or (1, 3) alone
    assert _chosen("shortest_output_first", [1] * 4, [3, 2, 1, 1], memory_bytes=28.0) == (2, 3)


def test_earliest_deadline_first_takes_the_most_urgent_that_arrived_last():
    # 1 s each: 1.5 s leaves room for one, though the other three could be served together
    assert _chosen("earliest_deadline_first", [1] * 4, slack_s=[9.0, 8.0, 7.0, 1.5]) == (3,)
    assert _chosen("earliest_deadline_first", [1] * 4, slack_s=[9.0, 4.0, 2.0, 3.0]) == (2, 3)


@pytest.mark.parametrize("bands", [("uplink", "downlink"), ("downlink", "uplink")])
def test_best_channel_first_goes_by_the_larger_of_the_two_shares(bands):
    # 0.6, 0.5, 0.5; the sum of both, 0.6, 1, 1, and the second band alone would put r0 first
    shares = dict(zip(bands, ([0.6, 0.5, 0.5], [0.0, 0.5, 0.5]), strict=True))
    assert _chosen("best_channel_first", [1] * 3, **shares) == (1, 2)


def test_greedy_load_goes_by_the_sum_of_the_loads():
    # 1, 0.6 and 0.7, and as much each of memory and time; the largest load alone would put r2, r0 first
    shares = {"uplink": [0.5, 0.6, 0.4], "downlink": [0.5, 0.0, 0.3]}
    assert _chosen("greedy_load", [1] * 3, **shares) == (1, 2)


@pytest.mark.parametrize(
    ("dear", "scarce"),
    [
        ({"uplink": [0.9, 0.5, 0.5]}, {}),
        ({"downlink": [0.9, 0.5, 0.5]}, {}),
        ({"outputs": [2, 1, 1]}, {"memory_bytes": 12 + 16.0}),
        ({"outputs": [2, 1, 1]}, {"compute_s": 2.5}),
        ({"slack_s": [1.5, 9.0, 9.0]}, {}),
    ],
    ids=["uplink", "downlink", "memory", "compute", "deadline"],
)
def test_greedy_load_leaves_the_request_that_is_dear_in_one_budget_to_the_last(dear, scarce):
    assert _chosen("greedy_load", [1] * 3, **dear, **scarce) == (1, 2)


@pytest.mark.parametrize("name", HEURISTICS)
def test_equal_requests_are_taken_in_order_of_arrival(name):
    assert _chosen(name, [1] * 4, uplink=0.5, downlink=0.25) == (0, 1)


@pytest.mark.parametrize("name", HEURISTICS)
def test_a_request_that_breaks_a_constraint_is_skipped_and_the_next_is_tried(name):
    # in every order r0, r1, r2; r0 and r1 are too much for the uplink, r2 uses the downlink
    bands = {"uplink": [0.3, 0.75, 0.0], "downlink": [0.0, 0.0, 0.8]}
    assert _chosen(name, [1] * 3, [1, 2, 3], slack_s=[20.0, 21.0, 22.0], **bands) == (0, 2)


@pytest.mark.parametrize("name", HEURISTICS)
@steady
@given(instance=instances(at_most=12))
def test_nobody_who_is_left_out_could_still_join(name, instance):
    schedule = solve(instance, name)
    assert schedule.upper_bound == instance.servable().sum()
    servable = np.flatnonzero(instance.servable()).tolist()
    for other in set(servable) - set(schedule.selected):
        assert len(admit_in_order(instance, [*schedule.selected, other])) == schedule.size
