"""The search of DFTSP written down plainly, to count its nodes: recursion over lists of requests.

Takes from the package nothing but the order of the requests in chains.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from edgebatch import Instance
from edgebatch.search.tree.chains import chains
from tests.edgebatch.oracle import batch_time_s, judge

ROOM = 1 + 1e-9
Breaks = Callable[[list[int], int], bool]


def nodes_until_found(instance: Instance, rules: Collection[str]) -> int:
    """Nodes that the search visits, the leaf that it ends with included."""
    allows = judge(instance)
    candidates = [i for i in range(instance.size) if allows((i,))]
    candidates.sort(key=lambda i: -instance.slack_s[i])
    if not candidates:
        return 0
    fixed = instance.system.fixed_padding_tokens
    trees = []
    for padded in [fixed] if fixed else np.unique(instance.prompt_tokens[candidates]):
        members = [i for i in candidates if instance.prompt_tokens[i] <= padded]
        costs = _costs(instance, int(padded))
        most = _most(instance, members, costs) if "batch_size" in rules else len(members)
        trees.append((members, costs, most))
    chain_of = _chain_of(instance, candidates)
    nodes = 0
    for size in range(max(most for _, _, most in trees), 0, -1):
        for members, costs, _ in (tree for tree in trees if tree[2] >= size):
            for d in range(size - 1, len(members)):
                levels = [[i for i in chain if i in members[:d]] for chain in chain_of]
                walk = _walk(instance, levels, costs, rules, members[d])
                visited, found, _ = walk(0, [members[d]], size - 1)
                nodes += visited
                if found:
                    return nodes
    raise AssertionError("a candidate alone is a feasible batch")


def _chain_of(instance: Instance, candidates: list[int]) -> list[list[int]]:
    """The requests of each chain, smallest shares first."""
    _, length = np.unique(instance.output_tokens[candidates], return_inverse=True)
    chain, rank, chain_length = chains(
        length, instance.uplink_share[candidates], instance.downlink_share[candidates]
    )
    by_rank = sorted(zip(chain.tolist(), rank.tolist(), candidates, strict=True))
    return [[i for k, _, i in by_rank if k == wanted] for wanted in range(chain_length.size)]


def _costs(instance: Instance, padded: int) -> tuple[Breaks, Breaks]:
    """Whether a batch breaks the memory, and whether it breaks the compute time of its tightest request."""
    system = instance.system
    llm, quantization, node = system.llm, system.quantization, system.edge_node
    d, f = llm.hidden_size, llm.ffn_size
    weights = llm.layers * (8 * d**2 + 4 * d * f) * quantization.weight_bits / 16
    token = 4 * llm.layers * d * quantization.kv_bits / 16
    time_s = batch_time_s(system)

    def memory(batch: list[int], tightest: int) -> bool:
        cached = sum(padded + int(instance.output_tokens[i]) for i in batch)
        return weights + token * cached > node.memory_bytes * ROOM

    def compute(batch: list[int], tightest: int) -> bool:
        outputs = tuple(int(instance.output_tokens[i]) for i in batch)
        return time_s(padded, outputs) > instance.deadline_s[tightest] * ROOM

    return memory, compute


def _most(instance: Instance, members: list[int], costs: tuple[Breaks, Breaks]) -> int:
    """The smallest of what uplink, downlink, memory, and compute time with deadlines allow, each alone."""
    sizes = [
        int((np.cumsum(np.sort(shares)) <= ROOM).sum())
        for shares in (instance.uplink_share[members], instance.downlink_share[members])
    ]
    for breaks in costs:
        size_by_tightest = []
        for d, tightest in enumerate(members):
            by_output = sorted(members[: d + 1], key=lambda i: instance.output_tokens[i])
            size_by_tightest.append(sum(not breaks(by_output[: n + 1], tightest) for n in range(d + 1)))
        sizes.append(max(size_by_tightest))
    return min(sizes)


def _walk(instance, levels, costs, rules, tightest):
    """The walk through one tree: (nodes, found, failed on memory or compute time) below a node."""

    def too_much(batch: list[int]) -> bool:
        return any(breaks(batch, tightest) for breaks in costs)

    def walk(level: int, batch: list[int], needed: int) -> tuple[int, bool, bool]:
        later = [i for chain in levels[level:] for i in chain]
        if needed == 0 and too_much(batch):
            return 1, False, True
        if needed == 0:
            return 1, _bands_hold(instance, batch, [], 0), False
        if level == len(levels):
            return 1, False, False
        if "budget" in rules and too_much(batch + later[:needed]):
            return 1, False, True
        if "budget" in rules and not _bands_hold(instance, batch, later, needed):
            return 1, False, False
        chain, nodes, first = levels[level], 1, None
        greedy = min(needed, len(chain))
        least = max(0, needed - (len(later) - len(chain))) if "supply" in rules else 0
        for number in range(greedy, least - 1, -1):
            visited, found, counts = walk(level + 1, batch + chain[:number], needed - number)
            nodes += visited
            if found:
                return nodes, True, False
            first = counts if first is None else first
            if counts and "sibling" in rules:
                break
        return nodes, False, bool(first)

    return walk


def _bands_hold(instance: Instance, batch: list[int], later: list[int], needed: int) -> bool:
    """Whether both bands hold `batch` and the smallest shares, each band by itself, of `needed` more."""
    return all(
        share[batch].sum() + np.sort(share[later])[:needed].sum() <= ROOM
        for share in (instance.uplink_share, instance.downlink_share)
    )
