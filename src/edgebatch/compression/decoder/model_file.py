"""Decoders in GGUF files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import NORMS, Decoder, Shape
from edgebatch.engine.gguf_file import open_gguf, whole_number
from edgebatch.errors import InputError
from edgebatch.schema import Range

TENSORS = {
    "attention_norm": "attn_norm",
    "ffn_norm": "ffn_norm",
    "query": "attn_q",
    "key": "attn_k",
    "value": "attn_v",
    "attention_output": "attn_output",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}
"""Our names of a layer's weights, and those in GGUF files."""


def read_decoder(path: Path, memory_bytes: float) -> tuple[Decoder, int]:
    """Read a decoder with tied embeddings, dequantized; and the token that a text begins with.

    Notes
    -----
    llama.cpp stores the rows of query and key in the order in which rotary positions take interleaved pairs.

    Raises
    ------
    InputError
        For a file that is none, is cut short, holds another kind of model, lacks a tensor or has one of
        another shape, has a weight that is no number, or exceeds the memory.
    """
    reader, fields = open_gguf(path, memory_bytes)
    at = str(path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    if "output.weight" in tensors:
        raise InputError("output.weight", "an output layer of its own", "tied embeddings", at)
    shape = _shape(fields, at)

    def weights(name: str, expected: tuple[int, ...]) -> NDArray[np.float32]:
        return _weights(tensors, f"{name}.weight", expected, at)

    layers = {}
    for ours, theirs in TENSORS.items():
        one = (shape.hidden_size,) if ours in NORMS else shape.matrix(ours)
        layers[ours] = np.stack([weights(f"blk.{i}.{theirs}", one) for i in range(shape.layers)])
    embedding = weights("token_embd", (shape.vocabulary, shape.hidden_size))
    decoder = Decoder(shape, embedding, weights("output_norm", (shape.hidden_size,)), layers)
    first = reader.fields.get("tokenizer.ggml.bos_token_id")
    return decoder, 0 if first is None else int(first.contents())


def _shape(fields: dict[str, Any], at: str) -> Shape:
    def number(name: str) -> int:
        return whole_number(fields, name, at)

    def positive(name: str) -> float:
        key = f"{fields['general.architecture']}.{name}"
        if fields.get(key) not in Range(above=0):
            raise InputError(key, repr(fields.get(key)), "a number above 0", at)
        return float(fields[key])

    shape = Shape(
        layers=number("block_count"),
        hidden_size=number("embedding_length"),
        ffn_size=number("feed_forward_length"),
        query_heads=number("attention.head_count"),
        kv_heads=number("attention.head_count_kv"),
        vocabulary=number("vocab_size"),
        rotary_base=positive("rope.freq_base"),
        norm_epsilon=positive("attention.layer_norm_rms_epsilon"),
    )
    if number("rope.dimension_count") != shape.head_size:
        found = number("rope.dimension_count")
        raise InputError("llama.rope.dimension_count", found, f"{shape.head_size}, the size of a head", at)
    return shape


def _weights(tensors: dict[str, Any], name: str, expected: tuple[int, ...], at: str) -> NDArray[np.float32]:
    from gguf import dequantize

    if name not in tensors:
        raise InputError(name, "no such tensor", f"one of shape {expected}", at)
    found = np.asarray(dequantize(tensors[name].data, tensors[name].tensor_type), dtype=np.float32)
    if found.shape != expected:
        raise InputError(name, f"shape {found.shape}", f"{expected}", at)
    if not np.isfinite(found).all():
        raise InputError(name, "a weight that is no finite number", "finite numbers", at)
    return found
