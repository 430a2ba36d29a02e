"""Text that a decoder says itself, drawn token by token from its own distribution."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import Decoder, Shape, attend, finish, log_likelihoods, project


def draw_text(decoder: Decoder, first: int, sequences: int, tokens: int, seed: int) -> NDArray[np.int32]:
    """Draw sequences that begin with the token `first`, shape (sequences, tokens).

    The distribution is the decoder's, at temperature 1 with nothing cut off: the perplexity of the decoder on
    them is the exponential of its entropy.
    """
    weights = decoder.embedding, decoder.final_norm, decoder.layers
    start = np.full(sequences, first, dtype=np.int32)
    drawn = _draw(decoder.shape, tokens, *weights, start, jax.random.key(seed))
    return np.concatenate([start[:, None], np.asarray(drawn).T], axis=1)


@partial(jax.jit, static_argnums=(0, 1))
def _draw(
    shape: Shape, tokens: int, embedding: Any, final_norm: Any, layers: Any, start: Any, key: Any
) -> Any:
    room = (shape.layers, start.size, tokens, shape.kv_heads, shape.head_size)

    def step(state: Any, place: Any) -> Any:
        last, cached, key = state

        def layer(x: Any, one: Any) -> Any:
            weights, keys, values = one
            _, query, new_key, new_value = project(shape, weights, x, place[None])
            keys = jax.lax.dynamic_update_slice_in_dim(keys, new_key, place, axis=1)
            values = jax.lax.dynamic_update_slice_in_dim(values, new_value, place, axis=1)
            heads = attend(query, keys, values, jnp.arange(tokens)[None] <= place)
            return finish(shape, weights, x, heads)[0], (keys, values)

        x, cached = jax.lax.scan(layer, embedding[last][:, None], (layers, *cached))
        key, own = jax.random.split(key)
        likely = log_likelihoods(shape, final_norm, embedding, x[:, 0])
        token = jax.random.categorical(own, likely).astype(jnp.int32)
        return (token, cached, key), token

    cached = jnp.zeros(room), jnp.zeros(room)
    return jax.lax.scan(step, (start, cached, key), jnp.arange(tokens - 1))[1]
