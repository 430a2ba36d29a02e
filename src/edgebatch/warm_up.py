"""Compile the search once, at installation: ``python -m edgebatch.warm_up``."""

from __future__ import annotations

from edgebatch import EdgeNode, Instance, Llm, Quantization, Slots, System, solve


def warm_up() -> None:
    """Solve a small instance with every compiled function, so that their machine code is cached."""
    system = System(
        slots=Slots(1.0, 1.0, 1.0),
        llm=Llm(layers=1, hidden_size=1, ffn_size=1),
        quantization=Quantization(weight_bits=16, kv_bits=16, compute_factor=1, accuracy=1),
        edge_node=EdgeNode(flops=1e6, memory_bytes=1e6, devices=1),
    )
    instance = Instance(system, [1, 2], [1, 2], [9, 9], [0, 0], [0, 0], [0.6, 0.6], [0.1, 0.1])  # type: ignore[arg-type]
    for scheduler in ("dftsp", "surrogate"):
        solve(instance, scheduler)


if __name__ == "__main__":
    warm_up()
