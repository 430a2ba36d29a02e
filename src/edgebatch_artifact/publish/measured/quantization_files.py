"""Measured techniques as files of conf/quantization/, with bits from the bytes that were written."""

from __future__ import annotations

import pandas as pd

from edgebatch.model.llm import Llm
from edgebatch_artifact.compression.measurement import LAST, REFERENCE, Techniques
from edgebatch_artifact.compression.outcome import MODEL, label

CODERS = ("zstd", "huffman")
SPARSE_BITS = 32
"""Bits of a weight in the sparse matrix of a layer's file: its value and its column, 16 each."""

ADAPTER_BYTES = 2
SPEEDUP_BITS = (2, 3, 4, 8, 16)
"""Bits of a weight that conf/config.yaml has a speed-up for."""


def quantization_files(techniques: Techniques, llm: Llm) -> dict[str, str]:
    """The text of each file by its path in conf/, without ending; `llm` is the measured model."""
    runs = sorted(set(techniques.summary["run"]) - {REFERENCE})
    return {f"quantization/{MODEL}_{run}": _text(techniques, run, llm) for run in runs}


def _text(techniques: Techniques, run: str, llm: Llm) -> str:
    layers = techniques.layers[techniques.layers["run"] == run].sort_values("layer")
    summary = techniques.summary.set_index(["run", "exit"])["perplexity"]
    weights, total = layers["weights"], float(layers["weights"].sum())
    # what counts a layer's weights: neither adapters nor single weights, which have entries of their own
    besides = ADAPTER_BYTES * layers["adapter_weights"]
    sparse = layers["sparse_weights"] * SPARSE_BITS / 8
    bits = 8 * (layers["packed_bytes"] - besides - sparse) / weights
    index_bits = float((layers["index_bits"] * weights).sum() / total)
    by_layer = ", ".join(f"{value:.10g}" for value in bits)
    lines = [
        f"# Source: measurements/compression/, run {run}: {MODEL} on text that it says itself.",
        "# The layers' bits are those of all bytes written; embeddings stay at 16 bits.",
        "# Written by `artifact calibrate`; do not edit.",
        f"label: {label(techniques.machine, run)}",
        "weight_bits: 16",
        f"weight_bits_by_layer: [{by_layer}]",
        f"pruned_share: {1 - layers['kept_weights'].sum() / total:.10g}",
        f"sparse_share: {layers['sparse_weights'].sum() / total:.10g}",
        f"sparse_bits: {SPARSE_BITS}",
        f"adapter_rank: {_rank(layers, llm)}",
        "activation_bits: 16",
        "kv_bits: 16",
        # of the next width that has one
        f"speedup: ${{speedup.w{next(width for width in SPEEDUP_BITS if width >= index_bits - 1e-9)}}}",
        "fp16:",
        "  dataset: text of the model itself",
        f"  perplexity: {{{MODEL}: {summary[REFERENCE, LAST]:.6g}}}",
        f"perplexity: {{{MODEL}: {summary[run, LAST]:.6g}}}",
        "coded:",
        *(f"  {coder}: {_coded(layers, coder, besides.sum())}" for coder in CODERS),
    ]
    return "\n".join(lines) + "\n"


def _rank(layers: pd.DataFrame, llm: Llm) -> int:
    """Rank of the adapters, which have as many weights in each layer."""
    of_rank_1 = llm.adapter_reads(1).dense_bytes / ADAPTER_BYTES
    return round(float(layers["adapter_weights"].sum()) / of_rank_1)


def _coded(layers: pd.DataFrame, coder: str, besides: float) -> str:
    """How many times smaller the weights are as coded, and how many bytes a second are decoded."""
    packed, coded = (layers[f"{form}_bytes"].sum() - besides for form in ("packed", coder))
    speed = packed / layers[f"{coder}_decode_s"].sum()
    return f"{{ratio: {packed / coded:.4g}, device_decoder_bytes_per_s: {speed:.4g}}}"
