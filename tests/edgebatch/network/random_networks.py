"""Networks for the tests: tiny random ones in which every budget can bind, and what is best in them."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import combinations

import numpy as np

from edgebatch.network import OUT_OF_REACH, Network, Node
from tests.edgebatch.instances import KINDS_OF_ALL_COSTS, random_instance, unit_instance, with_weights
from tests.edgebatch.oracle import judge


def of_instances(instances, reach=None) -> Network:
    """The requests of the first of some instances, at the nodes of all of them with the shares of each."""
    first = instances[0]
    shares = {
        name: np.stack([getattr(x, name) for x in instances]) for name in ("uplink_share", "downlink_share")
    }
    if reach is not None:
        shares = {name: np.where(reach, values, OUT_OF_REACH) for name, values in shares.items()}
    columns = {
        name: getattr(first, name)
        for name in ("prompt_tokens", "output_tokens", "latency_s", "waited_s", "accuracy", "weight")
    }
    nodes = tuple(Node(f"n{number}", instance.system) for number, instance in enumerate(instances))
    return Network(nodes, **columns, **shares, ids=tuple(f"r{number}" for number in range(first.size)))


def random_network(seed: int, nodes: int, requests: int, weighted: bool = False) -> Network:
    """Nodes that differ in all but the kind of the instance; a sixth of the shares is out of reach."""
    rng = np.random.default_rng([seed, nodes, requests])
    kind = KINDS_OF_ALL_COSTS[int(rng.integers(len(KINDS_OF_ALL_COSTS)))]
    instances = [random_instance(rng, requests, **kind) for _ in range(nodes)]
    if weighted:
        instances[0] = with_weights(instances[0], rng, whole=seed % 2 == 0)
    return of_instances(instances, rng.random((nodes, requests)) > 1 / 6)


def unit_network(shares, *, weight=1.0, **more) -> Network:
    """Requests to the unit model at nodes whose uplinks they need the given shares of, None out of reach."""
    table = np.array([[OUT_OF_REACH if share is None else share for share in row] for row in shares])
    instance = unit_instance([1] * table.shape[1], uplink=0.0, **more)
    instance = dataclasses.replace(instance, weight=np.broadcast_to(weight, table.shape[1]))
    instances = [
        dataclasses.replace(instance, uplink_share=np.where(np.isinf(row), 0.0, row)) for row in table
    ]
    return of_instances(instances, np.isfinite(table))


def heaviest(network: Network) -> float:
    """The largest weight of all schedules: every batch of every node is tried in exact arithmetic."""
    sets = 1 << network.size
    best = np.zeros(sets)
    for instance, reach in zip(network.instances, network.reach, strict=True):
        allows = judge(instance)
        batches = {0: 0.0}
        for size in range(1, instance.size + 1):
            for batch in combinations(range(instance.size), size):
                if allows(batch):
                    requests = reach[list(batch)].tolist()
                    batches[sum(1 << i for i in requests)] = sum(network.weight[i] for i in requests)
        # best[s]: the most that the nodes so far can serve of the requests s
        best = np.array(
            [
                max(weight + best[left & ~batch] for batch, weight in batches.items() if batch & ~left == 0)
                for left in range(sets)
            ]
        )
    return float(best[-1])


@cache
def sample(count: int, weighted: bool) -> tuple[tuple[Network, float], ...]:
    """Random networks of two or three nodes and up to seven requests, each with the largest weight."""
    networks = [random_network(seed, 2 + seed % 2, 4 + seed % 4, weighted) for seed in range(count)]
    return tuple((network, heaviest(network)) for network in networks)
