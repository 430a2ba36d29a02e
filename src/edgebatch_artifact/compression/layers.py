"""Layers of a run as files, so that a run that was ended goes on behind its last layer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from edgebatch.compression.compress import Matrices, compress
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.coding import entropy
from edgebatch.compression.stored.layer_file import FORMS, PACKED, read_layer, write_layer
from edgebatch.compression.techniques import Technique
from edgebatch.errors import InputError
from edgebatch_artifact.storage.files import replace, write

TIMES = "compress_s.json"


def compress_into(
    folder: Path, technique: Technique, reference: Reference, tell: Callable[[int, float], None]
) -> tuple[list[Matrices], list[float]]:
    """Compress what is left of a decoder, a file a layer; all layers, and the seconds that each took.

    Parameters
    ----------
    tell
        Called with the number of a layer and the seconds that the layer before it took.
    """
    times: list[float] = json.loads((folder / TIMES).read_text()) if (folder / TIMES).exists() else []
    done: list[Matrices] = [read_layer(folder / file_name(number)) for number in range(len(times))]
    if "fisher" in technique.needs and len(done) < reference.decoder.shape.layers:
        _ = reference.fisher  # all techniques share it, and no layer's time holds it
    begin_s = time.perf_counter()
    tell(len(done), times[-1] if times else 0.0)
    for matrices in compress(technique, reference, list(done)):
        times.append(round(time.perf_counter() - begin_s, 3))
        _write(folder / file_name(len(done)), matrices, PACKED)
        write(folder / TIMES, json.dumps(times))
        done.append(matrices)
        tell(len(done), times[-1])
        begin_s = time.perf_counter()
    return done, times


def file_name(number: int) -> str:
    """Name of a layer's file."""
    return f"{number:03}.safetensors"


def _write(path: Path, matrices: Matrices, form: str) -> None:
    replace(path, lambda to: write_layer(to, matrices, form))


def layer_rows(
    folder: Path, run: str, layers: Sequence[Matrices], compress_s: Sequence[float]
) -> list[tuple[object, ...]]:
    """Rows of layers.csv: each layer is written in every form, and what is read again must be the same.

    Raises
    ------
    InputError
        If it is not.
    """
    rows: list[tuple[object, ...]] = []
    path = folder / "coded.safetensors"
    for number, (matrices, seconds) in enumerate(zip(layers, compress_s, strict=True)):
        sizes, decode_s = [], []
        for form in FORMS:
            _write(path, matrices, form)
            sizes.append(path.stat().st_size)
            begin_s = time.perf_counter()
            again = read_layer(path)
            decode_s.append(round(time.perf_counter() - begin_s, 4))
            if any((again[name].symbols != matrix.symbols).any() for name, matrix in matrices.items()):
                raise InputError(f"layer {number}", "other indices", "those that were coded", str(path))
        rows.append((run, number, *_counts(matrices), *sizes, *decode_s[1:], seconds))
    path.unlink()
    return rows


def _counts(matrices: Matrices) -> tuple[float, ...]:
    """Weights; bits and entropy of an index, in the mean; weights that are kept, sparse, and of adapters."""
    weights = sum(matrix.indices.size for matrix in matrices.values())
    bits = sum(matrix.bits * matrix.indices.size for matrix in matrices.values()) / weights
    symbols = [matrix.symbols for matrix in matrices.values()]
    kept = sum(of_matrix.size for of_matrix in symbols)
    least = sum(entropy(of_matrix) * of_matrix.size for of_matrix in symbols) / max(kept, 1)
    sparse = sum(matrix.sparse.values.size for matrix in matrices.values() if matrix.sparse)
    adapters = (matrix.adapter for matrix in matrices.values())
    return weights, bits, least, kept, sparse, sum(a.left.size + a.right.size for a in adapters if a)
