"""Compile the searches once, after installation: ``python -m edgebatch.warm_up``."""

from __future__ import annotations

import dataclasses

import numpy as np

from edgebatch import EdgeNode, Instance, Llm, Quantization, Slots, System, solve
from edgebatch.io.command_line import run_command


def warm_up() -> None:
    """Solve a small instance by each compiled search, which stores its machine code for later processes."""
    system = System(
        slots=Slots(1.0, 1.0, 1.0),
        llm=Llm(layers=1, hidden_size=1, ffn_size=1),
        quantization=Quantization(weight_bits=16, kv_bits=16, compute_factor=1, accuracy=1),
        edge_node=EdgeNode(flops=1e6, memory_bytes=1e6, devices=1),
    )
    instance = Instance(system, [1, 2], [1, 2], [9, 9], [0, 0], [0, 0], [0.6, 0.6], [0.1, 0.1])  # type: ignore[arg-type]
    for scheduler in ("dftsp", "surrogate"):
        solve(instance, scheduler)
    solve(dataclasses.replace(instance, weight=np.array([1.0, 2.0])), "surrogate")


if __name__ == "__main__":
    raise SystemExit(run_command("edgebatch.warm_up", warm_up))
