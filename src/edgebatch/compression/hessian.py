"""Second moments of what the matrices of a layer multiply."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import Layer, Shape, layer_and_inputs


def hessians(shape: Shape, weights: Layer, inputs: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Mean of x x^T over all tokens, by the names of inner vectors, each of shape (columns, columns)."""
    return {name: np.asarray(sums, dtype=float) for name, sums in _moments(shape, weights, inputs).items()}


@partial(jax.jit, static_argnums=0)
def _moments(shape: Shape, weights: Any, inputs: Any) -> Any:
    def one(x: Any) -> Any:
        found = layer_and_inputs(shape, weights, x[None])[1]
        return {name: vectors[0].T @ vectors[0] / vectors.shape[1] for name, vectors in found.items()}

    return jax.tree.map(lambda stack: stack.mean(axis=0), jax.lax.map(one, inputs))
