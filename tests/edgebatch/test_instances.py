"""The random instances are worth their name: every budget binds somewhere, optima are of middle size."""

import dataclasses

import numpy as np
import pytest

from edgebatch import check, solve
from tests.edgebatch.instances import KINDS, random_instance, sample, with_system
from tests.edgebatch.oracle import optimum


def _loosened(instance, budget):
    loose = {
        "flops": lambda: with_system(instance, "edge_node", flops=2 * instance.system.edge_node.flops),
        "memory": lambda: with_system(instance, "edge_node", memory_bytes=1e12),
        "uplink": lambda: _scaled(instance, uplink_share=0.5),
        "downlink": lambda: _scaled(instance, downlink_share=0.5),
        "latencies": lambda: _scaled(instance, latency_s=4),
        "accuracy": lambda: with_system(instance, "quantization", accuracy=1.0),
    }
    return loose[budget]()


def _scaled(instance, **factors):
    return dataclasses.replace(
        instance, **{name: getattr(instance, name) * factor for name, factor in factors.items()}
    )


@pytest.mark.parametrize("budget", ["flops", "memory", "uplink", "downlink", "latencies", "accuracy"])
def test_each_budget_alone_decides_the_optimum_of_some_random_instances(budget):
    binding = sum(optimum(_loosened(x, budget)) > optimum(x) for x in sample(96))
    assert binding >= 3


def test_optima_of_random_instances_are_neither_tiny_nor_all_requests():
    sizes = [optimum(x) for x in sample(256)]
    assert set(sizes) >= {2, 3, 4, 5, 6}
    assert np.mean([2 <= size < 9 for size in sizes]) > 0.95


def test_random_instances_are_the_same_every_time():
    for a, b in zip(sample(8), sample.__wrapped__(8), strict=True):
        assert a is not b
        assert (a.system, a.uplink_share.tobytes()) == (b.system, b.uplink_share.tobytes())


def test_shared_fading_moves_both_shares_together_and_separate_fading_does_not():
    for kind in (kind for kind in KINDS if not kind["ties"]):
        instance = random_instance(np.random.default_rng(1), 9, **kind)
        per_token = (
            instance.uplink_share / instance.prompt_tokens,
            instance.downlink_share / instance.output_tokens,
        )
        same_order = (np.argsort(per_token[0]) == np.argsort(per_token[1])).all()
        assert same_order == (kind["fading"] == "shared")


def test_most_balanced_instances_fill_all_four_budgets_alike_at_the_optimum():
    alike = []
    for index, kind in enumerate(kind for kind in KINDS if kind["regime"] == "balanced"):
        instance = random_instance(np.random.default_rng(index), 25, **kind)
        loads, system = check(instance, solve(instance)), instance.system
        memory = (loads.memory_bytes - system.weight_bytes) / (
            system.edge_node.memory_bytes - system.weight_bytes
        )
        compute = loads.compute_time_s / loads.deadline_s
        fills = (loads.uplink_share, loads.downlink_share, memory, compute)
        alike.append(max(fills) < 1.3 * min(fills))
    assert np.mean(alike) > 0.6


def test_kinds_differ_in_regime_padding_fading_lengths_ties_and_cost():
    assert len({tuple(kind.values()) for kind in KINDS}) == len(KINDS) >= 128
    assert {kind["lengths"] for kind in KINDS} == {"grid", "arbitrary", "one", "trace"}
