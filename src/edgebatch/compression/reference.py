"""The decoder that is compressed, with the text that techniques calibrate on."""

from __future__ import annotations

from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import (
    MATRICES,
    Decoder,
    Layer,
    Shape,
    log_likelihoods,
    through_layers,
)


class Reference:
    """A 16-bit decoder and calibration text, shape (sequences, tokens); what techniques ask of both.

    Attributes
    ----------
    embedded
        The text as hidden states before the first layer, shape (sequences, tokens, hidden_size).
    """

    def __init__(self, decoder: Decoder, text: NDArray[np.int32]) -> None:
        self.decoder, self.text = decoder, text
        self.embedded: NDArray[np.float32] = decoder.embedding[text]

    @cached_property
    def fisher(self) -> Layer:
        """Diagonal of the Fisher information of each matrix, stacked over layers; the whole text is run once.

        The mean over sequences of the squared gradient of a sequence's mean negative log-likelihood
        (SqueezeLLM, arXiv 2306.07629, Section 4.1).
        """
        decoder = self.decoder
        found = _fisher(decoder.shape, decoder.embedding, decoder.final_norm, decoder.layers, self.text)
        return {name: np.asarray(stack) for name, stack in found.items()}


def text_nll(shape: Shape, embedding: Any, final_norm: Any, layers: Any, text: Any) -> Any:
    """Mean negative log-likelihood of one sequence's tokens but its first."""
    x = through_layers(shape, layers, embedding[text][None])[0, :-1]
    likely = log_likelihoods(shape, final_norm, embedding, x)
    return -jnp.take_along_axis(likely, text[1:, None], axis=1).mean()


@partial(jax.jit, static_argnums=0)
def _fisher(shape: Shape, embedding: Any, final_norm: Any, layers: Any, texts: Any) -> Any:
    norms = {name: stack for name, stack in layers.items() if name not in MATRICES}

    def nll(matrices: Any, text: Any) -> Any:
        return text_nll(shape, embedding, final_norm, matrices | norms, text)

    matrices = {name: layers[name] for name in MATRICES}

    def add(total: Any, text: Any) -> Any:
        found = jax.grad(nll)(matrices, text)
        return jax.tree.map(lambda one, more: one + more**2 / len(texts), total, found), None

    return jax.lax.scan(add, jax.tree.map(jnp.zeros_like, matrices), texts)[0]
