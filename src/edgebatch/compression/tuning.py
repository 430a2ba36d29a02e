"""Adaptive layer tuning: adapters of a window of layers are trained at an early exit, and exits vote.

EDGE-LLM (arXiv 2406.15758): each step draws an exit, runs the layers up to it, and updates the layers of a
window that ends there. Backpropagation ends where the window begins, so that a step takes the
memory of a window and not of a decoder. The exits share the last norm and the embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from edgebatch.compression import adam
from edgebatch.compression.compress import Matrices, assemble
from edgebatch.compression.decoder.decoder import MATRICES, Decoder, Shape, layer_output, log_likelihoods
from edgebatch.compression.stored.matrix import Adapter
from edgebatch.errors import InputError
from edgebatch.schema import Checked, integer, real


class Tuning(Checked):
    """How adapters are tuned.

    Attributes
    ----------
    exits
        Layers behind which predictions are made, the last one among them; each step draws one.
    window
        Layers that a step updates: those up to its exit.
    rank
        Rank of the adapters.
    steps
        How many steps there are, each with one sequence of the calibration text.
    rate, weight_decay
        Learning rate and weight decay of AdamW.
    seed
        Of the adapters' start, of exits, and of the order of sequences.
    """

    exits: tuple[int, ...] = integer(at_least=1)
    window: int = integer(at_least=1)
    rank: int = integer(at_least=1)
    steps: int = integer(at_least=0)
    rate: float = real(at_least=0)
    weight_decay: float = real(at_least=0)
    seed: int = integer(at_least=0)

    def check(self, layers: int) -> None:
        """Raise an `InputError` if a decoder with so many layers cannot be tuned so."""
        if max(self.exits, default=0) != layers:
            raise InputError("tuning.exits", list(self.exits), f"numbers of layers up to the last, {layers}")
        if self.window > min(self.exits):
            expected = f"at most {min(self.exits)}, the layers before the first exit"
            raise InputError("tuning.window", self.window, expected)


class Step(NamedTuple):
    """What a step did: at which exit, and the mean negative log-likelihood there before its update."""

    exit: int
    nll: float


class Tuner:
    """A compressed decoder while it is tuned.

    Parameters
    ----------
    decoder
        The 16-bit decoder, whose norms and embeddings are used.
    compressed
        Matrices of its layers.
    text
        Shape (sequences, tokens).
    """

    def __init__(
        self, decoder: Decoder, compressed: Sequence[Matrices], text: NDArray[np.int32], tuning: Tuning
    ) -> None:
        tuning.check(decoder.shape.layers)
        self._decoder, self._tuning, self._text = assemble(decoder, compressed), tuning, text
        self._compressed = compressed
        self._rng = np.random.default_rng(tuning.seed)
        self._adapters = {name: self._first(self._decoder.layers[name]) for name in MATRICES}
        self._moments = adam.start(self._adapters)

    def _first(self, stack: NDArray[np.float32]) -> dict[str, Any]:
        layers, rows, columns = stack.shape
        rank = self._tuning.rank
        right = self._rng.standard_normal((layers, rank, columns)) / np.sqrt(columns)
        return {"left": jnp.zeros((layers, rows, rank)), "right": jnp.asarray(right, dtype=jnp.float32)}

    def step(self) -> Step:
        """Update one window."""
        exit = int(self._rng.choice(self._tuning.exits))
        text = self._text[self._rng.integers(len(self._text))]
        self._adapters, self._moments, nll = _step(*self._arguments(exit, text))
        return Step(exit, float(nll))

    def step_bytes(self, exit: int) -> int:
        """Memory that a step at an exit takes beside weights, adapters and their moments."""
        compiled = _step.lower(*self._arguments(exit, self._text[0])).compile()
        found: Any = compiled.memory_analysis()
        # the compiled step copies the weights of the layers that it runs, which a step need not
        copied = sum(stack[:exit].nbytes for stack in self._decoder.layers.values())
        return int(found.temp_size_in_bytes) - copied

    def _arguments(self, exit: int, text: NDArray[np.int32]) -> tuple[Any, ...]:
        decoder, tuning = self._decoder, self._tuning
        fixed = decoder.shape, exit, tuning.window, tuning.rate, tuning.weight_decay
        weights = decoder.embedding, decoder.final_norm, decoder.layers
        return *fixed, *weights, self._adapters, self._moments, text

    def tuned(self) -> list[Matrices]:
        """The matrices with the adapters so far, beside those that they had."""
        found: list[Matrices] = []
        for number, matrices in enumerate(self._compressed):
            layer = {}
            for name, matrix in matrices.items():
                left, right = (
                    np.asarray(self._adapters[name][side][number], dtype=np.float16)
                    for side in ("left", "right")
                )
                layer[name] = matrix.with_adapter(Adapter(left, right))
            found.append(layer)
        return found


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _step(
    shape: Shape,
    exit: int,
    window: int,
    rate: float,
    decay: float,
    embedding: Any,
    final_norm: Any,
    layers: Any,
    adapters: Any,
    moments: adam.Moments,
    text: Any,
) -> Any:
    def part(tree: Any, begin: int, end: int) -> Any:
        return jax.tree.map(lambda stack: stack[begin:end], tree)

    def run(x: Any, begin: int, end: int, adapters: Any) -> Any:
        def one(y: Any, layer: Any) -> Any:
            weights, added = layer
            full = {name: weights[name] + added[name]["left"] @ added[name]["right"] for name in MATRICES}
            return layer_output(shape, weights | full, y), None

        return jax.lax.scan(one, x, (part(layers, begin, end), adapters))[0]

    begin = exit - window
    before = jax.lax.stop_gradient(run(embedding[text][None], 0, begin, part(adapters, 0, begin)))

    def nll(adapters: Any) -> Any:
        states = run(before, begin, exit, adapters)[0, :-1]
        likely = log_likelihoods(shape, final_norm, embedding, states)
        return -jnp.take_along_axis(likely, text[1:, None], axis=1).mean()

    tuned = part(adapters, begin, exit)
    own = adam.Moments(part(moments.first, begin, exit), part(moments.second, begin, exit), moments.steps)
    loss, gradients = jax.value_and_grad(nll)(tuned)
    rates = jax.tree.map(lambda _: rate, tuned)
    tuned, own = adam.step(tuned, gradients, own, rates, decay)

    def put(tree: Any, changed: Any) -> Any:
        return jax.tree.map(lambda stack, new: stack.at[begin:exit].set(new), tree, changed)

    after = adam.Moments(put(moments.first, own.first), put(moments.second, own.second), own.steps)
    return put(adapters, tuned), after, loss
