"""What a measurement of techniques says of each run, with intervals over the sequences of the text."""

from __future__ import annotations

import numpy as np
import pandas as pd

from edgebatch_artifact.analysis.statistics import estimate
from edgebatch_artifact.compression.measurement import LAYERS, REFERENCE, SUMMARY

SIZES = ["packed_bytes", "zstd_bytes", "huffman_bytes"]


def summarize(sequences: pd.DataFrame, layers: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """A row for each run and exit, with the columns of `SUMMARY`.

    Perplexity is the exponential of the mean negative log-likelihood, and its interval that of the mean's
    ends. Bits are those of all bytes of the layers' files over the weights of their matrices.
    """
    counted = [name for name in LAYERS if name not in ("run", "layer", "index_bits", "entropy_bits")]
    totals = layers.groupby("run")[counted].sum()
    rows = []
    for (run, exit), judged in sequences.groupby(["run", "exit"], sort=False):
        nll, divergence = (estimate(judged[name], confidence) for name in ("nll", "divergence"))
        perplexity = np.exp([nll.mean, nll.low, nll.high])
        about = *perplexity, divergence.mean, divergence.half_width
        if run == REFERENCE:
            bytes_ = 2 * int(totals["weights"].max()) if len(totals) else 0
            rows.append((run, exit, *about, 16.0, bytes_, None, None, 0.0))
            continue
        of_run = totals.loc[run]
        bits = 8 * of_run["packed_bytes"] / of_run["weights"]
        rows.append((run, exit, *about, bits, *(int(of_run[size]) for size in SIZES), of_run["compress_s"]))
    return pd.DataFrame(rows, columns=list(SUMMARY))
