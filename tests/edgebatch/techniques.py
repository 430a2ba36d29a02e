"""Random nodes that run techniques: bits by layer, sparse weights, adapters, storage, tuning."""

from __future__ import annotations

import dataclasses

import numpy as np

from edgebatch import Instance, Storage, System, Tuning

TECHNIQUES = ("layers", "storage", "tuning", "all")


def with_techniques(instance: Instance, rng: np.random.Generator, which: str) -> Instance:
    """The same requests at a node that runs techniques; memory for the cache stays as it is."""
    system = busy(instance.system, rng, which, int(instance.output_tokens.max(initial=1)))
    return dataclasses.replace(instance, system=system)


def busy(plain: System, rng: np.random.Generator, which: str, steps: int) -> System:
    """The system with techniques; to load for so many steps takes a tenth of a second at most."""
    system = plain
    if which in ("layers", "all"):
        quantization = dataclasses.replace(
            plain.quantization,
            weight_bits_by_layer=tuple(rng.uniform(2, 9, plain.llm.layers).tolist()),
            pruned_share=float(rng.uniform(0, 0.6)),
            sparse_share=float(rng.uniform(0, 0.05)),
            adapter_rank=int(rng.integers(0, 9)),
        )
        system = dataclasses.replace(system, quantization=quantization)
    if which in ("storage", "all"):
        share = float(rng.uniform(0.1, 1))
        speed = 10 * share * 2 * plain.llm.parameters * steps
        storage = Storage(
            share=share,
            speed_bytes_per_s=speed * float(rng.uniform(1, 4)),
            ratio=float(rng.uniform(1, 2)),
            decoder_bytes_per_s=speed * float(rng.uniform(1, 4)) if rng.integers(2) else None,
        )
        system = dataclasses.replace(system, storage=storage)
    if which in ("tuning", "all"):
        tuning = Tuning(int(rng.integers(1, 1 + plain.llm.layers)), 2, 8, 0.0, int(rng.integers(0, 3)))
        busiest = 1 / dataclasses.replace(system, tuning=tuning).tuning_step_s
        tuning = dataclasses.replace(tuning, steps_per_s=busiest * float(rng.uniform(0.05, 0.4)))
        system = dataclasses.replace(system, tuning=tuning)
    memory = plain.edge_node.memory_bytes + system.resident_bytes - plain.resident_bytes
    node = dataclasses.replace(plain.edge_node, memory_bytes=float(memory))
    return dataclasses.replace(system, edge_node=node)
