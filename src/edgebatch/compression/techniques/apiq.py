"""ApiQ, layer by layer: clip factors and adapters are trained together, so that the layer gives what it gave.

Liao et al., arXiv 2402.05147: a layer on what the compressed layers before give is trained towards what the
16-bit layer gives behind 16-bit layers. Ranges of groups are clipped by factors sigmoid(c), as in OmniQuant;
gradients pass through rounding as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from edgebatch.compression import adam
from edgebatch.compression.decoder.decoder import MATRICES, Shape, layer_output, output_error, run_layer
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Adapter, Matrix
from edgebatch.compression.techniques import CompressLayer, LayerTask
from edgebatch.compression.techniques._grid import (
    Weights,
    bounds,
    grid,
    nearest,
)
from edgebatch.schema import Checked, integer, real

FIRST_CLIP = 4.0
"""Where clip factors begin: sigmoid(4) = 0.98."""


class Options(Checked):
    """Options of ApiQ.

    Attributes
    ----------
    weight_bits
        Bits of an index.
    group
        Columns of a group that shares a scale; 0 for a whole row.
    rank
        Rank of the adapters.
    epochs, batch
        How often the text is run through, and how many sequences a step takes.
    clip_rate, adapter_rate, weight_decay
        Learning rates of clip factors and adapters, and the weight decay of AdamW.
    seed
        Of the adapters' start and of the order of sequences.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"inputs", "exact_inputs"})

    weight_bits: int = integer(at_least=1, at_most=8)
    group: int = integer(at_least=0)
    rank: int = integer(at_least=1)
    epochs: int = integer(at_least=1)
    batch: int = integer(at_least=1)
    clip_rate: float = real(at_least=0)
    adapter_rate: float = real(at_least=0)
    weight_decay: float = real(at_least=0)
    seed: int = integer(at_least=0)

    def begin(self, reference: Reference) -> CompressLayer:
        """Return what trains a layer."""
        return partial(self.train, reference.decoder.shape)

    def train(self, shape: Shape, task: LayerTask) -> Mapping[str, Matrix]:
        """Train a layer; its start, rounding to the nearest without adapters, stands if that is better."""
        inputs, exact_inputs = task.need("inputs"), task.need("exact_inputs")
        rng = np.random.default_rng((self.seed, task.number))
        target = np.asarray(run_layer(shape, task.weights, exact_inputs))
        ranges = {name: bounds(task.weights[name], self.group) for name in MATRICES}
        first = {name: self._first(task.weights[name], ranges[name][0], rng) for name in MATRICES}
        sequences = len(inputs)
        batch = min(self.batch, sequences)
        used = sequences - sequences % batch
        orders = np.concatenate([rng.permutation(sequences)[:used] for _ in range(self.epochs)])
        rate = self.clip_rate, self.adapter_rate, self.weight_decay
        trained = _train(
            *(shape, 2**self.weight_bits - 1, self.group, rate),
            *(task.weights, ranges, first, inputs, target, orders.reshape(-1, batch)),
        )
        candidates = [
            {name: self._matrix(task.weights[name], ranges[name], values[name]) for name in MATRICES}
            for values in (jax.tree.map(np.asarray, trained), first)
        ]
        errors = [self._error(shape, task, found, target) for found in candidates]
        return candidates[int(np.argmin(errors))]

    def _first(self, weights: Weights, low: Weights, rng: np.random.Generator) -> dict[str, Weights]:
        rows, columns = weights.shape
        right = rng.standard_normal((self.rank, columns)) / np.sqrt(columns)
        clip = np.full_like(low, FIRST_CLIP)
        left = np.zeros((rows, self.rank), dtype=np.float32)
        return {"low": clip, "high": clip, "left": left, "right": right.astype(np.float32)}

    def _matrix(
        self, weights: Weights, ranges: tuple[Weights, Weights], values: dict[str, Weights]
    ) -> Matrix:
        low, high = (
            bound / (1 + np.exp(-values[side])) for bound, side in zip(ranges, ("low", "high"), strict=True)
        )
        levels = grid(low, high, self.weight_bits, self.group, weights.shape[1])
        adapter = Adapter(values["left"].astype(np.float16), values["right"].astype(np.float16))
        return Matrix(self.weight_bits, nearest(levels, weights, self.weight_bits), levels, adapter=adapter)

    def _error(self, shape: Shape, task: LayerTask, found: Mapping[str, Matrix], target: Weights) -> float:
        weights = task.weights | {name: matrix.decode() for name, matrix in found.items()}
        return float(output_error(np.asarray(run_layer(shape, weights, task.need("inputs"))), target))


def _through(rounded: Any, x: Any) -> Any:
    """Rounded numbers, with the gradient of the numbers."""
    return x + jax.lax.stop_gradient(rounded - x)


def quantized(weights: Any, ranges: Any, values: Any, last: int, group: int) -> Any:
    """Weights as they will be stored, but for 16 bits, with gradients of clip factors and adapters."""
    low, high = (
        bound * jax.nn.sigmoid(values[side]) for bound, side in zip(ranges, ("low", "high"), strict=True)
    )
    scale = jnp.where(high > low, (high - low) / last, 1.0)
    zero = -low / scale
    zero = _through(jnp.round(zero), zero)
    columns = np.arange(weights.shape[1]) // (group or weights.shape[1])
    scale, zero = scale[:, columns], zero[:, columns]
    steps = weights / scale
    steps = jnp.clip(_through(jnp.round(steps), steps) + zero, 0, last)
    return (steps - zero) * scale + values["left"] @ values["right"]


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _train(
    shape: Shape,
    last: int,
    group: int,
    rate: tuple[float, float, float],
    weights: Any,
    ranges: Any,
    first: Any,
    inputs: Any,
    target: Any,
    orders: Any,
) -> Any:
    clip_rate, adapter_rate, decay = rate
    of_part = {"low": clip_rate, "high": clip_rate, "left": adapter_rate, "right": adapter_rate}
    rates = dict.fromkeys(MATRICES, of_part)

    def loss(values: Any, chosen: Any) -> Any:
        stored = {
            name: quantized(weights[name], ranges[name], values[name], last, group) for name in MATRICES
        }
        output = layer_output(shape, weights | stored, inputs[chosen])
        return output_error(output, target[chosen])

    def step(state: Any, chosen: Any) -> Any:
        values, moments = state
        gradients = jax.grad(loss)(values, chosen)
        return adam.step(values, gradients, moments, rates, decay), None

    return jax.lax.scan(step, (first, adam.start(first)), orders)[0][0]
