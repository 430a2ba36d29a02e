"""A small measurement of techniques, made up: four runs on two layers, judged on four sequences."""

import numpy as np
import pandas as pd

from edgebatch import Llm
from edgebatch_artifact.compression.measurement import (
    LAST,
    LAYERS,
    REFERENCE,
    SEQUENCES,
    SUMMARY,
    Machine,
    Techniques,
)
from edgebatch_artifact.settings.measured.compression import CompressionConfig, CompressionRun, TextSettings

LLM = Llm(layers=2, hidden_size=64, ffn_size=128, query_heads=4, kv_heads=2, ffn_matrices=3, vocabulary=100)
WEIGHTS = LLM.layer_weights
RUNS = {
    "rtn_3": CompressionRun("rtn", {}),
    "squeezellm_3_sparse": CompressionRun("squeezellm", {}),
    "apiq_3": CompressionRun("apiq", {}),
    "edge_llm_5_pruned": CompressionRun("edge_llm", {}),
}
DIVERGENCE = {
    "rtn_3": [0.30, 0.50, 0.40, 0.20],
    "squeezellm_3_sparse": [0.10, 0.29, 0.21, 0.01],
    "apiq_3": [0.31, 0.49, 0.40, 0.20],
    "edge_llm_5_pruned": [0.05, 0.06, 0.05, 0.06],
}


def _layer(run: str, layer: int) -> dict[str, object]:
    bits = {"edge_llm_5_pruned": (4, 6)}.get(run, (3, 3))[layer]
    kept = WEIGHTS * 4 // 5 if run == "edge_llm_5_pruned" else WEIGHTS
    sparse = 90 if run == "squeezellm_3_sparse" else 0
    # rank 4 beside each of the seven matrices
    adapters = LLM.adapter_reads(4).dense_bytes // 4 if run == "apiq_3" else 0
    packed = kept * bits // 8 + 1000 + 4 * sparse + 2 * adapters
    return {
        "run": run,
        "layer": layer,
        "weights": WEIGHTS,
        "index_bits": bits,
        "kept_weights": kept,
        "sparse_weights": sparse,
        "adapter_weights": adapters,
        "packed_bytes": packed,
        "zstd_bytes": packed - packed // 4,
        "huffman_bytes": packed - packed // 5,
        "zstd_decode_s": 0.01,
        "huffman_decode_s": 0.04,
        "compress_s": 1.5,
    }


def techniques() -> Techniques:
    """The measurement."""
    machine = Machine(
        *("2026-01-01", "Linux", "3.11", "a processor", 2, 8e9, {}, "model.gguf", "0", "0", 6400),
        settings=CompressionConfig("reference", TextSettings(16, 2, 4, 0)),
        runs=RUNS,
    )
    layers = pd.DataFrame([_layer(run, layer) for run in RUNS for layer in range(2)], columns=list(LAYERS))
    reference = [2.0, 3.0, 2.5, 1.5]
    nll = {REFERENCE: reference} | {run: np.add(reference, more).tolist() for run, more in DIVERGENCE.items()}
    rows = [
        (run, LAST, number, value, DIVERGENCE.get(run, [0.0] * 4)[number])
        for run, values in nll.items()
        for number, value in enumerate(values)
    ]
    sequences = pd.DataFrame(rows, columns=list(SEQUENCES))
    return Techniques(machine, layers, sequences, _summary(layers, sequences))


def _summary(layers: pd.DataFrame, sequences: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for run, of in sequences.groupby("run", sort=False):
        sizes = layers[layers["run"] == run][["packed_bytes", "zstd_bytes", "huffman_bytes"]].sum()
        bits = 16.0 if run == REFERENCE else 8 * sizes["packed_bytes"] / (2 * WEIGHTS)
        middle = float(np.exp(of["nll"].mean()))
        ends = (0.9 * middle, 1.1 * middle)
        rows.append((run, LAST, middle, *ends, of["divergence"].mean(), 0.01, bits, *sizes, 3.0))
    return pd.DataFrame(rows, columns=list(SUMMARY))
