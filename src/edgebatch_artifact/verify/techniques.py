"""Whether measurements of techniques agree: each that is stored, with the one that figures show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from edgebatch_artifact.analysis.compression_summary import summarize
from edgebatch_artifact.compression.measurement import SEQUENCES
from edgebatch_artifact.compression.stored import read_machine, read_rows
from edgebatch_artifact.storage.csv_file import csv_text
from edgebatch_artifact.verify.outcome import Check, Outcome

TECHNIQUES = "techniques"

DIVERGENCE, DIVERGENCE_NATS, BITS = 0.1, 1e-3, 0.01
"""How far another machine may be off: in a run's mean divergence, as a share or in nats per token; in its
bytes, as a share."""

BYTES = "packed_bytes"


def check_techniques(folder: Path, chosen: str, confidence: float) -> Iterator[Check]:
    """Check the summary of the chosen measurement, and compare each run of others on the same model and text.

    Parameters
    ----------
    folder
        Of all measurements of techniques.
    """
    ours = folder / chosen
    layers, sequences = (read_rows(ours, name) for name in ("layers", "sequences"))
    again = csv_text(summarize(sequences, layers, confidence))
    path = ours / "summary.csv"
    same = path.is_file() and path.read_text(encoding="utf-8") == again
    words = "" if same else "found other numbers, expected those that follow from the tables beside it"
    yield Check(TECHNIQUES, str(path), Outcome.SAME if same else Outcome.DIFFERS, words)
    machine = read_machine(ours)
    for other in sorted(file.parent for file in folder.glob("*/measurement.json")):
        theirs = read_machine(other)
        alike = (theirs.model_sha256, theirs.text_sha256) == (machine.model_sha256, machine.text_sha256)
        if other == ours or not alike:
            continue
        their_layers, their_sequences = (read_rows(other, name) for name in ("layers", "sequences"))
        for run in sorted(set(their_sequences["run"]) & set(machine.runs)):
            if theirs.runs.get(run) == machine.runs[run]:
                found = _of_run(their_sequences, their_layers, run)
                expected = _of_run(sequences, layers, run)
                yield Check(TECHNIQUES, f"{other} ({run})", *_compare(found, expected))


def _of_run(sequences: pd.DataFrame, layers: pd.DataFrame, run: str) -> tuple[pd.DataFrame, float]:
    """Rows of each sequence, and bytes of all layers."""
    rows = sequences[sequences["run"] == run].reset_index(drop=True)
    return rows[list(SEQUENCES)], float(layers[layers["run"] == run][BYTES].sum())


def _compare(found: tuple[pd.DataFrame, float], expected: tuple[pd.DataFrame, float]) -> tuple[Outcome, str]:
    (rows, size), (expected_rows, expected_size) = found, expected
    if rows.equals(expected_rows) and size == expected_size:
        return Outcome.SAME, ""
    nats, expected_nats = (of.groupby("exit")["divergence"].mean() for of in (rows, expected_rows))
    if set(nats.index) != set(expected_nats.index):
        return Outcome.DIFFERS, f"found exits {_listed(nats)}, expected {_listed(expected_nats)}"
    off = (nats - expected_nats).abs()
    if (off > (DIVERGENCE * expected_nats).clip(lower=DIVERGENCE_NATS)).any():
        exit = str((off / expected_nats).idxmax())
        what = f"within {DIVERGENCE:.0%} of {expected_nats[exit]:.4g}"
        return Outcome.DIFFERS, f"found a divergence of {nats[exit]:.4g} at exit {exit}, expected one {what}"
    if abs(size - expected_size) > BITS * expected_size:
        return (
            Outcome.DIFFERS,
            f"found {size:.0f} bytes, expected them within {BITS:.0%} of {expected_size:.0f}",
        )
    return Outcome.CLOSE, ""


def _listed(nats: pd.Series) -> str:
    return ", ".join(map(str, nats.index))
