"""Small random networks, and the best schedule of one by trying all."""

import dataclasses
import functools
import itertools

import numpy as np

from edgebatch import InfeasibleSchedule, Schedule, check
from edgebatch.network import OUT_OF_REACH, Network, Node
from tests.edgebatch.instances import sample


def small_networks(count, nodes, requests, weighted=False):
    """Networks whose first node is that of a random instance, and whose others have less of everything."""
    for number, instance in enumerate(sample(count, requests)):
        if instance.system.llm.layers == 0 or instance.system.fixed_padding_tokens is not None:
            continue
        rng = np.random.default_rng(number)
        system = instance.system
        systems = [system]
        for _ in range(nodes - 1):
            share = rng.uniform(0.5, 1.0)
            smaller = dataclasses.replace(
                system.edge_node,
                flops=system.edge_node.flops * share,
                memory_bytes=system.edge_node.memory_bytes * share,
            )
            systems.append(dataclasses.replace(system, edge_node=smaller))
        factor = rng.uniform(0.5, 2.0, (2, nodes, requests))
        factor[:, 0] = 1.0
        reached = rng.random((nodes, requests)) < 0.85
        yield Network(
            tuple(Node(f"n{place}", of) for place, of in enumerate(systems)),
            instance.prompt_tokens,
            instance.output_tokens,
            instance.latency_s,
            instance.waited_s,
            instance.accuracy,
            np.where(reached, instance.uplink_share * factor[0], OUT_OF_REACH),
            np.where(reached, instance.downlink_share * factor[1], OUT_OF_REACH),
            rng.choice([1.0, 2.0, 3.5], requests) if weighted else 1.0,
        )


def best_weight(network):
    """Weight of the best schedule: every assignment is tried, each batch judged by the checker."""

    @functools.cache
    def feasible(node, batch):
        if not np.isfinite(network.uplink_share[node, list(batch)]).all():
            return False
        instance = network.instance(node, np.array(batch, dtype=np.int64))
        try:
            weight = instance.weight_of(range(len(batch)))
            check(instance, Schedule(tuple(range(len(batch))), upper_bound=weight, weight=weight))
        except InfeasibleSchedule:
            return False
        return True

    best = 0.0
    for homes in itertools.product(range(-1, len(network.nodes)), repeat=network.size):
        weight = network.weight[[home >= 0 for home in homes]].sum()
        if weight > best and all(
            feasible(node, tuple(i for i, home in enumerate(homes) if home == node))
            for node in range(len(network.nodes))
        ):
            best = weight
    return best
