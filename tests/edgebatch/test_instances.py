"""The random instances are worth their name: every budget binds somewhere, optima are of middle size."""

import dataclasses

import numpy as np
import pytest

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
