"""A measurement of techniques, as it is stored: measurements/compression/NAME/."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from edgebatch.schema import Checked, integer, real
from edgebatch_artifact.settings.measured.compression import CompressionConfig, CompressionRun

FORMAT = "edgebatch-compression/1"

REFERENCE = "reference"
"""Name of the 16-bit decoder among the runs of sequences.csv."""

LAST, VOTE = "last", "vote"
"""Where predictions are made: behind the last layer, or by the most confident exit."""

LAYERS = (
    "run",
    "layer",
    "weights",
    "index_bits",
    "entropy_bits",
    "kept_weights",
    "sparse_weights",
    "adapter_weights",
    "packed_bytes",
    "zstd_bytes",
    "huffman_bytes",
    "zstd_decode_s",
    "huffman_decode_s",
    "compress_s",
)
"""Columns of layers.csv: a layer's weights; bits of an index in the mean, and the least that it takes if each
matrix has a code of its own; weights that are not pruned, that are kept in 16 bits, and of adapters; bytes of
its file, packed and coded; seconds to read it when it is coded, and to compress it."""

SEQUENCES = ("run", "exit", "sequence", "nll", "divergence")
"""Columns of sequences.csv: `edgebatch.compression.decoder.evaluation.Judged` of each sequence."""

STEPS = ("run", "step", "exit", "window", "nll", "seconds", "memory_bytes")
"""Columns of steps.csv: what each step of tuning did, how long it took, and the memory beside weights."""

SUMMARY = (
    "run",
    "exit",
    "perplexity",
    "perplexity_low",
    "perplexity_high",
    "divergence",
    "divergence_half_width",
    "bits",
    "packed_bytes",
    "zstd_bytes",
    "huffman_bytes",
    "seconds",
)
"""Columns of summary.csv, which follows from the other tables."""

TABLES = {"layers": LAYERS, "sequences": SEQUENCES, "steps": STEPS}


class Machine(Checked):
    """Where and with what it was measured: measurement.json.

    Attributes
    ----------
    packages
        Versions of the packages that compute or code.
    model, model_sha256, text_sha256
        Name of the GGUF file, and digests of its bytes and of text.npz.
    vocabulary_weights
        Weights of the embeddings, which stay in 16 bits.
    settings, runs
        conf/compression.yaml and conf/compression/ as they were.
    """

    date: str
    system: str
    python: str
    processor: str
    cores: int = integer(at_least=1)
    memory_bytes: float = real(above=0)
    packages: dict[str, str]
    model: str
    model_sha256: str
    text_sha256: str
    vocabulary_weights: int = integer(at_least=1)
    settings: CompressionConfig
    runs: dict[str, CompressionRun]


class Techniques(NamedTuple):
    """A measurement of techniques, and its tables."""

    machine: Machine
    layers: pd.DataFrame
    sequences: pd.DataFrame
    summary: pd.DataFrame
