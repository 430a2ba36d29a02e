"""AdamW, for trees of arrays (Loshchilov and Hutter, arXiv 1711.05101, Algorithm 2)."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

FIRST, SECOND, SMALL = 0.9, 0.999, 1e-8
"""Decay of both moments, and what keeps a quotient finite: the usual values."""


class Moments(NamedTuple):
    """Running means of gradients and of their squares, and how many steps they have seen."""

    first: Any
    second: Any
    steps: Any


def start(parameters: Any) -> Moments:
    """Moments before the first step."""
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    return Moments(zeros, zeros, 0)


def step(parameters: Any, gradients: Any, moments: Moments, rates: Any, decay: float) -> tuple[Any, Moments]:
    """One step of AdamW.

    Parameters
    ----------
    rates
        Learning rates, a tree as `parameters`.
    decay
        Weight decay.

    Returns
    -------
    parameters, moments
        Behind the step.
    """
    steps = moments.steps + 1
    first = jax.tree.map(lambda m, g: FIRST * m + (1 - FIRST) * g, moments.first, gradients)
    second = jax.tree.map(lambda v, g: SECOND * v + (1 - SECOND) * g * g, moments.second, gradients)

    def moved(p: Any, m: Any, v: Any, rate: Any) -> Any:
        direction = m / (1 - FIRST**steps) / (jnp.sqrt(v / (1 - SECOND**steps)) + SMALL)
        return p - rate * (direction + decay * p)

    return jax.tree.map(moved, parameters, first, second, rates), Moments(first, second, steps)
