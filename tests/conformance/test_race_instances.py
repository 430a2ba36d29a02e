"""The instances of the races are what they claim: every budget counts, at any number of candidates."""

from itertools import product

import pytest
from benchmarks.race_instances import FADINGS, LENGTHS, tight_instance

from edgebatch import check, solve


@pytest.mark.parametrize(("fading", "lengths"), list(product(FADINGS, LENGTHS)))
@pytest.mark.parametrize(("candidates", "sizes"), [(100, (9, 11)), (500, (20, 22))])
def test_all_four_budgets_are_nearly_full_at_the_optimum(fading, lengths, candidates, sizes):
    for seed in range(3):
        instance = tight_instance(candidates, seed, fading=fading, lengths=lengths)
        schedule = solve(instance, "cp_sat")
        loads, system = check(instance, schedule), instance.system
        cache = loads.memory_bytes - system.weight_bytes
        assert sizes[0] <= schedule.size <= sizes[1]
        room = system.edge_node.memory_bytes - system.weight_bytes
        memory, compute = cache / room, loads.compute_time_s / loads.deadline_s
        assert min(loads.uplink_share, loads.downlink_share, memory, compute) > 0.75
        assert loads.deadline_s < system.slots.compute_s


def test_a_hundred_thousand_candidates_differ_by_seed_alone():
    once, again, other = (tight_instance(100_000, seed) for seed in (1, 1, 2))
    assert once.uplink_share.tobytes() == again.uplink_share.tobytes()
    assert once.uplink_share.tobytes() != other.uplink_share.tobytes()
