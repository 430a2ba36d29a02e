"""Measured times of batches, and what the cost model says of the same batches."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import System
from edgebatch.schema import Checked, choice, describe, integer, real

QUANTITIES = ("prompt_s", "token_s", "tokens_per_s")
"""What is measured: the time of the first stage, the mean time of a later step, and the tokens that the whole
batch generates per second in the later steps."""


class Measurement(Checked):
    """One measured number of a batch of equal requests.

    Attributes
    ----------
    system
        The model and the node that it was measured on; its cost model is a `Roofline`.
    quantity
        One of `QUANTITIES`.
    batch
        Number of requests.
    prompt_tokens, output_tokens
        Lengths of each request; the time of the first stage does not depend on the latter.
    value
        What was measured: seconds, or tokens per second.
    """

    system: System
    quantity: str = choice(*QUANTITIES)
    batch: int = integer(at_least=1)
    prompt_tokens: int = integer(at_least=1)
    output_tokens: int = integer(at_least=1)
    value: float = real(above=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.system.cost, Roofline):
            raise InputError("system.cost", describe(self.system.cost), "a Roofline")
        if self.quantity != "prompt_s" and self.output_tokens == 1:
            raise InputError("output_tokens", 1, f"a whole number at least 2, to have a {self.quantity}")


def predict(
    measurements: Sequence[Measurement], efficiencies: Mapping[str, float] | None = None
) -> NDArray[np.float64]:
    """What the cost model says of the same batches, shape (measurements,).

    Parameters
    ----------
    efficiencies
        Fields of `Roofline` that replace those of every measurement's system.
    """
    groups: dict[System, list[int]] = {}
    for place, measurement in enumerate(measurements):
        groups.setdefault(measurement.system, []).append(place)
    predicted = np.empty(len(measurements))
    for system, places in groups.items():
        changed = _with(system, efficiencies or {})
        predicted[places] = _predict(changed, [measurements[place] for place in places])
    return predicted


def _with(system: System, efficiencies: Mapping[str, float]) -> System:
    assert isinstance(system.cost, Roofline)
    return dataclasses.replace(system, cost=dataclasses.replace(system.cost, **efficiencies))


def _predict(system: System, measurements: Sequence[Measurement]) -> NDArray[np.float64]:
    batch = np.array([m.batch for m in measurements])
    prompt_tokens = np.array([m.prompt_tokens for m in measurements])
    output_tokens = np.array([m.output_tokens for m in measurements])
    prompt_s = _batch_s(system, batch, prompt_tokens, np.ones_like(output_tokens))
    later_s = _batch_s(system, batch, prompt_tokens, output_tokens) - prompt_s
    token_s = later_s / np.maximum(output_tokens - 1, 1)
    # a batch without later steps has no rate, and is asked for none
    values = {
        "prompt_s": prompt_s,
        "token_s": token_s,
        "tokens_per_s": batch / np.where(token_s > 0, token_s, 1),
    }
    return np.array([values[m.quantity][place] for place, m in enumerate(measurements)])


def _batch_s(system: System, batch: Any, prompt_tokens: Any, output_tokens: Any) -> Any:
    """Compute time of batches of equal requests, shape (batches,)."""
    flops = batch * system.work_flops(prompt_tokens, output_tokens)
    return system.compute_time_s(flops, prompt_tokens, output_tokens[:, None], batch[:, None])
