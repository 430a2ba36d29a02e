"""Compressing a decoder layer by layer, and putting it together again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgebatch.compression.decoder.decoder import MATRICES, Decoder, Layer, run_layer
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Matrix
from edgebatch.compression.techniques import LayerTask, Technique
from edgebatch.errors import InputError

Matrices = Mapping[str, Matrix]


def compress(technique: Technique, reference: Reference, done: Sequence[Matrices] = ()) -> Iterator[Matrices]:
    """Compress what is left of a decoder.

    Parameters
    ----------
    done
        The first layers, if they have been compressed before.

    Yields
    ------
    Mapping
        The matrices of each further layer by their names, in order.

    Raises
    ------
    InputError
        For a weight that is no finite number, and for what the technique refuses.
    """
    decoder = reference.decoder
    _check_finite(decoder.layers)
    if len(done) == decoder.shape.layers:
        return
    compress_layer = technique.begin(reference)
    states: dict[str, Any] = {
        name: reference.embedded for name in ("inputs", "exact_inputs") if name in technique.needs
    }
    for number in range(decoder.shape.layers):
        weights = decoder.layer(number)
        if number < len(done):
            matrices = done[number]
        else:
            found = dict(states)
            if "fisher" in technique.needs:
                found["fisher"] = {name: stack[number] for name, stack in reference.fisher.items()}
            matrices = compress_layer(LayerTask(number, weights, found))
            yield matrices
        for name, x in states.items():
            layer = decoded(weights, matrices) if name == "inputs" else weights
            states[name] = np.asarray(run_layer(decoder.shape, layer, x))


def _check_finite(layers: Layer) -> None:
    for name, stack in layers.items():
        for number, weights in enumerate(stack):
            if not np.isfinite(weights).all():
                raise InputError(
                    f"layer {number}, {name}", "a weight that is no finite number", "finite numbers"
                )


def decoded(weights: Layer, matrices: Matrices) -> Layer:
    """A layer with the weights of its compressed matrices."""
    return weights | {name: matrix.decode() for name, matrix in matrices.items()}


def assemble(decoder: Decoder, compressed: Sequence[Matrices]) -> Decoder:
    """The decoder with the weights of its compressed matrices."""
    stacks = {name: np.stack([layer[name].decode() for layer in compressed]) for name in MATRICES}
    return decoder._replace(layers=decoder.layers | stacks)
