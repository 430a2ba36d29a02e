"""A decoder of Llama's kind: its weights, and its forward pass in JAX.

Linear layers have weights of shape (outputs, inputs). All layers have one shape, so that their weights are
stacked along a first axis, and the passes loop over it: one compilation serves all layers.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

MATRICES = ("query", "key", "value", "attention_output", "gate", "up", "down")
"""Matrices of a layer, which techniques compress."""

NORMS = ("attention_norm", "ffn_norm")
"""Gains of a layer's norms, which stay as they are."""

INPUT_OF = {
    "query": "attention",
    "key": "attention",
    "value": "attention",
    "attention_output": "heads",
    "gate": "ffn",
    "up": "ffn",
    "down": "gated",
}
"""Which of a layer's inner vectors each matrix multiplies."""

Layer = dict[str, NDArray[np.float32]]
"""Weights of a layer by the names in `MATRICES` and `NORMS`, or of all layers, stacked."""


class Shape(NamedTuple):
    """Sizes of a decoder, and the constants of its norms and positions."""

    layers: int
    hidden_size: int
    ffn_size: int
    query_heads: int
    kv_heads: int
    vocabulary: int
    rotary_base: float
    norm_epsilon: float

    @property
    def head_size(self) -> int:
        """Size of a head."""
        return self.hidden_size // self.query_heads

    def matrix(self, name: str) -> tuple[int, int]:
        """Outputs and inputs of one of `MATRICES`."""
        keys = self.kv_heads * self.head_size
        outputs = {"key": keys, "value": keys, "gate": self.ffn_size, "up": self.ffn_size}
        return outputs.get(name, self.hidden_size), self.ffn_size if name == "down" else self.hidden_size


class Decoder(NamedTuple):
    """A decoder with tied embeddings.

    Attributes
    ----------
    embedding
        Shape (vocabulary, hidden_size); the output layer shares it.
    final_norm
        Gains of the last norm, shape (hidden_size,).
    layers
        Weights of all layers, each of shape (layers, ...).
    """

    shape: Shape
    embedding: NDArray[np.float32]
    final_norm: NDArray[np.float32]
    layers: Layer

    def layer(self, number: int) -> Layer:
        """Weights of one layer."""
        return {name: stack[number] for name, stack in self.layers.items()}

    def rounded(self) -> Decoder:
        """The same with matrices and embeddings of 16 bits; norms keep 32, as llama.cpp has it."""

        def half(weights: NDArray[np.float32]) -> NDArray[np.float32]:
            return weights.astype(np.float16).astype(np.float32)

        layers = {name: half(stack) if name in MATRICES else stack for name, stack in self.layers.items()}
        return self._replace(embedding=half(self.embedding), layers=layers)


def norm(x: Any, gains: Any, epsilon: float) -> Any:
    """Divide vectors by their root mean square, and multiply them by gains."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + epsilon) * gains


def rotate(x: Any, positions: Any, base: float) -> Any:
    """Rotate interleaved pairs of each head by its position; x of shape (..., tokens, heads, head_size)."""
    pairs = x.shape[-1] // 2
    angle = positions[:, None, None] * base ** (-jnp.arange(pairs) / pairs)
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = jnp.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
    return turned.reshape(x.shape)


def attend(query: Any, key: Any, value: Any, seen: Any) -> Any:
    """Attention of grouped queries.

    Parameters
    ----------
    query, key, value
        Shapes (sequences, tokens, heads, head_size); query heads are a multiple of the others.
    seen
        Whether a query sees a key, shape (query tokens, key tokens).
    """
    sequences, tokens, heads, size = query.shape
    grouped = query.reshape(sequences, tokens, key.shape[2], heads // key.shape[2], size)
    scores = jnp.einsum("sqgrd,skgd->sgrqk", grouped, key) * size**-0.5
    shares = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), axis=-1)
    return jnp.einsum("sgrqk,skgd->sqgrd", shares, value).reshape(sequences, tokens, heads * size)


def project(shape: Shape, weights: Any, x: Any, places: Any) -> tuple[Any, Any, Any, Any]:
    """What attention works on: the normed states, and query, key and value of each head.

    Parameters
    ----------
    x
        Hidden states, shape (sequences, tokens, hidden_size).
    places
        Positions of the tokens, shape (tokens,).
    """
    attention = norm(x, weights["attention_norm"], shape.norm_epsilon)

    def heads(name: str, count: int) -> Any:
        return (attention @ weights[name].T).reshape(*x.shape[:2], count, shape.head_size)

    query = rotate(heads("query", shape.query_heads), places, shape.rotary_base)
    key = rotate(heads("key", shape.kv_heads), places, shape.rotary_base)
    return attention, query, key, heads("value", shape.kv_heads)


def finish(shape: Shape, weights: Any, x: Any, heads: Any) -> tuple[Any, Any, Any]:
    """The rest of a layer, behind its heads: hidden states, and what the feed-forward matrices multiply."""
    x = x + heads @ weights["attention_output"].T
    ffn = norm(x, weights["ffn_norm"], shape.norm_epsilon)
    gated = jax.nn.silu(ffn @ weights["gate"].T) * (ffn @ weights["up"].T)
    return x + gated @ weights["down"].T, ffn, gated


def layer_and_inputs(shape: Shape, weights: Any, x: Any) -> tuple[Any, dict[str, Any]]:
    """One layer on whole sequences, and what its matrices multiply.

    Parameters
    ----------
    x
        Hidden states, shape (sequences, tokens, hidden_size).

    Returns
    -------
    y, inputs
        Hidden states behind the layer; and its inner vectors by the names in `INPUT_OF`.
    """
    places = jnp.arange(x.shape[1])
    attention, query, key, value = project(shape, weights, x, places)
    heads = attend(query, key, value, places[:, None] >= places)
    y, ffn, gated = finish(shape, weights, x, heads)
    return y, {"attention": attention, "heads": heads, "ffn": ffn, "gated": gated}


def layer_output(shape: Shape, weights: Any, x: Any) -> Any:
    """Hidden states behind one layer, shape (sequences, tokens, hidden_size)."""
    return layer_and_inputs(shape, weights, x)[0]


@partial(jax.jit, static_argnums=0)
def run_layer(shape: Shape, weights: Any, x: Any) -> Any:
    """`layer_output`, compiled, a sequence at a time to save memory."""
    return jax.lax.map(lambda one: layer_output(shape, weights, one[None])[0], x)


def output_error(output: Any, target: Any) -> Any:
    """Mean over tokens of the squared error of a hidden state, as a share of its square.

    A share, since a few tokens have states a thousand times larger than others, which the next norm undoes.
    """
    return (((output - target) ** 2).sum(axis=-1) / (target**2).sum(axis=-1)).mean()


def through_layers(shape: Shape, layers: Any, x: Any) -> Any:
    """Hidden states behind a stack of layers, shape (sequences, tokens, hidden_size)."""
    return jax.lax.scan(lambda y, weights: (layer_output(shape, weights, y), None), x, layers)[0]


def log_likelihoods(shape: Shape, final_norm: Any, embedding: Any, x: Any) -> Any:
    """Log-likelihoods of the next token, shape (..., vocabulary), from states behind the last layer."""
    return jax.nn.log_softmax(norm(x, final_norm, shape.norm_epsilon) @ embedding.T, axis=-1)


@partial(jax.jit, static_argnums=0)
def _predict(shape: Shape, embedding: Any, final_norm: Any, layers: Any, tokens: Any) -> Any:
    x = through_layers(shape, layers, embedding[tokens])
    return log_likelihoods(shape, final_norm, embedding, x)


def predict(decoder: Decoder, tokens: NDArray[np.integer]) -> NDArray[np.float32]:
    """Log-likelihoods of the token behind each, shape (sequences, tokens, vocabulary)."""
    return np.asarray(
        _predict(decoder.shape, decoder.embedding, decoder.final_norm, decoder.layers, np.asarray(tokens))
    )
