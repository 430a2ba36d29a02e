"""Compressed layers as files of safetensors, packed or coded.

A file has the parts of each matrix as tensors MATRIX.PART, and what numpy does not say of them as text:
bits, shape, columns of a group. Its size is what a technique's bits are counted from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from edgebatch.compression.decoder.decoder import MATRICES
from edgebatch.compression.stored.coding import CODERS
from edgebatch.compression.stored.matrix import Adapter, Grid, Matrix, Sparse, Table
from edgebatch.compression.stored.packing import from_bytes, in_bytes, pack, unpack
from edgebatch.errors import InputError, one_of

SPARSE = ("counts", "columns", "values")
PACKED = "packed"
FORMS = (PACKED, *CODERS)
"""Forms of the indices in a file."""


def write_layer(path: Path, matrices: Mapping[str, Matrix], form: str = PACKED) -> None:
    """Write the matrices of a layer, their indices in one of `FORMS`."""
    if form not in FORMS:
        raise InputError("form", repr(form), one_of(form, FORMS))
    tensors: dict[str, NDArray[Any]] = {}
    about: dict[str, Any] = {"form": form}
    for name, matrix in matrices.items():
        parts, sizes = _parts(matrix, form)
        tensors |= {f"{name}.{part}": np.ascontiguousarray(array) for part, array in parts.items()}
        about[name] = sizes
    save_file(tensors, path, {"about": json.dumps(about, separators=(",", ":"))})


def read_layer(path: Path) -> dict[str, Matrix]:
    """Read what `write_layer` wrote.

    Raises
    ------
    InputError
        For a file that is cut short or was not written by it.
    """
    expected = "a layer that make compress wrote (delete it, then the same command writes it again)"
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = json.loads((file.metadata() or {})["about"])
        form = about.pop("form")
        for name in about:
            if name not in MATRICES:
                raise InputError(name, "an unknown tensor", one_of(name, MATRICES), str(path))
        return {name: _matrix(name, tensors, sizes, form) for name, sizes in about.items()}
    except InputError:
        raise
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("", str(error).splitlines()[0], expected, str(path)) from None


def _parts(matrix: Matrix, form: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The tensors of a matrix, and the sizes that reading needs beside them."""
    coded = _encode(matrix.symbols, matrix.bits, form)
    parts: dict[str, NDArray[Any]] = {"indices": coded}
    sizes: dict[str, Any] = {"bits": matrix.bits, "shape": matrix.indices.shape}
    if isinstance(matrix.levels, Grid):
        grid = matrix.levels
        parts |= {"scales": grid.scales, "zeros": pack(grid.zeros, matrix.bits)}
        sizes["group"] = grid.group
    else:
        parts["table"] = matrix.levels.levels
    if matrix.kept is not None:
        parts["kept"] = np.packbits(matrix.kept)
    if matrix.sparse is not None:
        parts |= {f"sparse_{part}": getattr(matrix.sparse, part) for part in SPARSE}
    if matrix.adapter is not None:
        parts |= {"left": matrix.adapter.left, "right": matrix.adapter.right}
    return parts, sizes


def _encode(symbols: NDArray[np.uint8], bits: int, form: str) -> NDArray[np.uint8]:
    return pack(symbols, bits) if form == PACKED else CODERS[form].encode(in_bytes(symbols, bits))


def _decode(coded: NDArray[np.uint8], bits: int, size: int, form: str) -> NDArray[np.uint8]:
    if form == PACKED:
        return unpack(coded, bits, size)
    count = 8 // bits
    return from_bytes(CODERS[form].decode(coded, -(-size // count)), bits, size)


def _matrix(name: str, tensors: Mapping[str, NDArray[Any]], sizes: Mapping[str, Any], form: str) -> Matrix:
    parts = {key.partition(".")[2]: value for key, value in tensors.items() if key.startswith(f"{name}.")}
    bits, (rows, columns) = sizes["bits"], sizes["shape"]
    kept, size = None, rows * columns
    if "kept" in parts:
        kept = np.unpackbits(parts["kept"], count=size).astype(bool).reshape(rows, columns)
        size = int(kept.sum())
    symbols = _decode(parts["indices"], bits, size, form)
    if kept is None:
        indices = symbols.reshape(rows, columns)
    else:
        indices = np.zeros((rows, columns), dtype=np.uint8)
        indices[kept] = symbols
    levels: Grid | Table
    if "table" in parts:
        levels = Table(parts["table"])
    else:
        scales = parts["scales"]
        levels = Grid(scales, unpack(parts["zeros"], bits, scales.size).reshape(scales.shape), sizes["group"])
    sparse = [parts[f"sparse_{part}"] for part in SPARSE if "sparse_counts" in parts]
    return Matrix(
        bits,
        indices,
        levels,
        kept,
        Sparse(*sparse) if sparse else None,
        Adapter(parts["left"], parts["right"]) if "left" in parts else None,
    )
