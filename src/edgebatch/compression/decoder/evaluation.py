"""How well a compressed decoder predicts a text, and how far it is from the 16-bit decoder in this."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import Decoder, Shape, layer_output, log_likelihoods


class Judged(NamedTuple):
    """Means over the tokens of each sequence but its first, each of shape (sequences,).

    Attributes
    ----------
    nll
        Negative log-likelihood of the tokens, in nats; its exponential is the perplexity.
    divergence
        Kullback-Leibler divergence of the decoder's prediction from that of the 16-bit decoder, in nats.
    """

    nll: NDArray[np.float32]
    divergence: NDArray[np.float32]


def predictions(decoder: Decoder, tokens: NDArray[np.int32]) -> Any:
    """Log-likelihoods of all tokens but the first, of shape (sequences, tokens - 1, vocabulary), on JAX."""
    weights = decoder.embedding, decoder.final_norm, decoder.layers
    return _predictions(decoder.shape, *weights, np.asarray(tokens))


def judge(
    decoder: Decoder,
    tokens: NDArray[np.int32],
    reference: Any,
    exits: tuple[int, ...] | None = None,
) -> Judged:
    """Judge a decoder on a text.

    Parameters
    ----------
    tokens
        Shape (sequences, tokens).
    reference
        `predictions` of the 16-bit decoder.
    exits
        Layers behind which predictions are made; for each token, that of the most confident exit counts
        (EDGE-LLM's voting). None for the last layer alone.
    """
    exits = exits or (decoder.shape.layers,)
    weights = decoder.embedding, decoder.final_norm, decoder.layers
    found = _judge(decoder.shape, exits, *weights, np.asarray(tokens), reference)
    return Judged(*map(np.asarray, found))


@partial(jax.jit, static_argnums=0)
def _predictions(shape: Shape, embedding: Any, final_norm: Any, layers: Any, tokens: Any) -> Any:
    def one(text: Any) -> Any:
        states = exit_states(shape, (shape.layers,), layers, embedding[text])[0, :-1]
        return log_likelihoods(shape, final_norm, embedding, states)

    return jax.lax.map(one, tokens)


@partial(jax.jit, static_argnums=(0, 1))
def _judge(
    shape: Shape,
    exits: tuple[int, ...],
    embedding: Any,
    final_norm: Any,
    layers: Any,
    tokens: Any,
    reference: Any,
) -> Any:
    def one(text_and_predictions: Any) -> Any:
        text, theirs = text_and_predictions
        found = exit_states(shape, exits, layers, embedding[text])[:, :-1]
        ours = most_confident(log_likelihoods(shape, final_norm, embedding, found))
        nll = -jnp.take_along_axis(ours, text[1:, None], axis=1).mean()
        return nll, (jnp.exp(theirs) * (theirs - ours)).sum(axis=1).mean()

    return jax.lax.map(one, (tokens, reference))


def exit_states(shape: Shape, exits: tuple[int, ...], layers: Any, x: Any) -> Any:
    """Hidden states of one embedded sequence behind some layers, shape (exits, tokens, hidden_size)."""

    def step(y: Any, weights: Any) -> Any:
        y = layer_output(shape, weights, y)
        return y, y[0]

    behind = jax.lax.scan(step, x[None], layers)[1]
    return behind[jnp.array(exits) - 1]


def most_confident(likely: Any) -> Any:
    """Of each token, the prediction of the exit whose likeliest token is likeliest.

    Parameters
    ----------
    likely
        Log-likelihoods, shape (exits, tokens, vocabulary).
    """
    chosen = likely.max(axis=-1).argmax(axis=0)
    return jnp.take_along_axis(likely, chosen[None, :, None], axis=0)[0]
