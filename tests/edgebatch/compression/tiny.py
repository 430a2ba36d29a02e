"""A tiny random decoder, a text for it, and techniques with options that suit both."""

from functools import cache

import numpy as np
from gguf import GGUFWriter

from edgebatch.compression import techniques
from edgebatch.compression.compress import compress
from edgebatch.compression.decoder.decoder import MATRICES, NORMS, Decoder, Shape
from edgebatch.compression.decoder.model_file import TENSORS
from edgebatch.compression.reference import Reference

SHAPE = Shape(3, 32, 48, 4, 2, 64, 1e4, 1e-5)

OPTIONS = {
    "rtn": [
        {"weight_bits": 3, "scale_of": "channel", "group": 0},
        {"weight_bits": 4, "scale_of": "channel", "group": 12},
        {"weight_bits": 8, "scale_of": "tensor", "group": 0},
    ],
    "gptq": [
        {"weight_bits": 3, "group": 0, "damping": 0.01},
        {"weight_bits": 2, "group": 16, "damping": 0.01},
    ],
    "squeezellm": [
        {"weight_bits": 3, "weighted": True, "sensitive_share": 0.005, "outlier_share": 0.01},
        {"weight_bits": 2, "weighted": False, "sensitive_share": 0, "outlier_share": 0},
    ],
    "loftq": [{"weight_bits": 2, "group": 16, "rank": 4, "iterations": 3}],
    "apiq": [
        {
            "weight_bits": 2,
            "group": 16,
            "rank": 4,
            "epochs": 4,
            "batch": 2,
            "clip_rate": 0.02,
            "adapter_rate": 0.01,
            "weight_decay": 0.0,
            "seed": 0,
        }
    ],
    "edge_llm": [
        {
            "mean_weight_bits": 4.0,
            "mean_pruned_percent": 25,
            "weight_bits": [2, 4, 6],
            "pruned_percent": [0, 25, 50],
            "group": 0,
            "sequences": 2,
        }
    ],
}
"""Options that tests run each technique with."""

CASES = [(name, i) for name in techniques.names() for i in range(len(OPTIONS[name]))]


def decoder(seed=0, shape=SHAPE):
    """A decoder with random weights of 16 bits, some of them outliers."""
    rng = np.random.default_rng(seed)

    def weights(*sizes):
        return rng.standard_t(4, sizes) / np.sqrt(sizes[-1])

    layers = {name: weights(shape.layers, *shape.matrix(name)).astype(np.float32) for name in MATRICES}
    layers |= {
        name: rng.uniform(0.5, 1.5, (shape.layers, shape.hidden_size)).astype(np.float32) for name in NORMS
    }
    embedding = weights(shape.vocabulary, shape.hidden_size).astype(np.float32) * 3
    return Decoder(shape, embedding, np.ones(shape.hidden_size, dtype=np.float32), layers).rounded()


def text(sequences=4, tokens=24, seed=1, shape=SHAPE):
    """Random tokens."""
    return np.random.default_rng(seed).integers(shape.vocabulary, size=(sequences, tokens)).astype(np.int32)


@cache
def reference():
    """The decoder with its text."""
    return Reference(decoder(), text())


@cache
def compressed(name, case):
    """The layers that a technique gives with one of its `OPTIONS`."""
    return list(compress(techniques.get(name, OPTIONS[name][case]), reference()))


def write_gguf(path, decoder, architecture="llama", leave_out=()):
    """Write a decoder as a GGUF file of 32-bit weights."""
    shape = decoder.shape
    file = GGUFWriter(path, architecture)
    file.add_block_count(shape.layers)
    file.add_embedding_length(shape.hidden_size)
    file.add_feed_forward_length(shape.ffn_size)
    file.add_head_count(shape.query_heads)
    file.add_head_count_kv(shape.kv_heads)
    file.add_vocab_size(shape.vocabulary)
    file.add_rope_freq_base(shape.rotary_base)
    file.add_rope_dimension_count(shape.head_size)
    file.add_layer_norm_rms_eps(shape.norm_epsilon)
    file.add_file_type(0)
    file.add_bos_token_id(1)
    tensors = {"token_embd": decoder.embedding, "output_norm": decoder.final_norm}
    for number in range(shape.layers):
        layer = decoder.layer(number)
        tensors |= {f"blk.{number}.{theirs}": layer[ours] for ours, theirs in TENSORS.items()}
    for name, weights in tensors.items():
        if name not in leave_out:
            file.add_tensor(f"{name}.weight", np.ascontiguousarray(weights))
    file.write_header_to_file()
    file.write_kv_data_to_file()
    file.write_tensors_to_file()
    file.close()
    return path
