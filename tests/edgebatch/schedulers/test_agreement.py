"""The exact schedulers agree with each other and with the checker, also at the very edge of a budget."""

import numpy as np
import pytest

from edgebatch import InfeasibleSchedule, Schedule, check
from tests.edgebatch.agreement import agreed_size
from tests.edgebatch.instances import KINDS_OF_ALL_COSTS, random_instance, unit_instance

BUDGETS = ("uplink", "downlink", "memory_bytes", "slack_s", "compute_s")


def full_instance(budget, number, excess, spare=3):
    """`number` of the candidates, all alike but for their shares, are above one budget by `excess` of it."""
    parts = np.arange(1, number + 1) / np.arange(1, number + 1).sum() * (1 + excess)
    shares = [*parts, *[float(parts[-1])] * spare]
    total = {"memory_bytes": 12.0 + 8.0 * number, "slack_s": float(number), "compute_s": float(number)}
    room = {budget: shares} if budget in ("uplink", "downlink") else {budget: total[budget] / (1 + excess)}
    return unit_instance(
        [1] * (number + spare), **{"memory_bytes": 1e6, "slack_s": 1e3, "compute_s": 1e3} | room
    )


@pytest.mark.parametrize("kind", KINDS_OF_ALL_COSTS[::3], ids=str)
def test_all_exact_schedulers_agree_on_a_random_instance_of_many_kinds(kind):
    rng = np.random.default_rng(KINDS_OF_ALL_COSTS.index(kind))
    instance = random_instance(rng, int(rng.integers(6, 16)), **kind)
    assert 0 <= agreed_size(instance) <= instance.size


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("number", [2, 7, 30])
@pytest.mark.parametrize(
    ("excess", "served"),
    [(-1e-6, True), (0, True), (1e-12, True), (0.9e-9, True), (1e-8, False), (1e-6, False)],
)
def test_exact_schedulers_and_checker_draw_the_same_edge(budget, number, excess, served):
    instance = full_instance(budget, number, excess)
    batch = Schedule(tuple(range(number)), upper_bound=number)
    if served:
        check(instance, batch)
    else:
        with pytest.raises(InfeasibleSchedule):
            check(instance, batch)
    assert agreed_size(instance) == (number if served else number - 1)
