"""A compressed matrix: indices of few bits, what they stand for, and what is kept beside them in 16 bits."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Half = NDArray[np.float16]


@dataclass(frozen=True)
class Grid:
    """Uniform levels: index q stands for scale * (q - zero).

    Attributes
    ----------
    scales, zeros
        Shape (rows or 1, groups): of each row or of all, and of each group of columns.
    group
        Columns of a group; the last may have fewer.
    """

    scales: Half
    zeros: NDArray[np.uint8]
    group: int

    def values(self, indices: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What indices stand for, shape (rows, columns)."""
        columns = np.arange(indices.shape[1]) // self.group
        steps = indices.astype(np.float32) - self.zeros[:, columns].astype(np.float32)
        return steps * self.scales[:, columns].astype(np.float32)


@dataclass(frozen=True)
class Table:
    """Levels of each row by their index, shape (rows, 2**bits)."""

    levels: Half

    def values(self, indices: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What indices stand for, shape (rows, columns)."""
        return np.take_along_axis(self.levels, indices.astype(np.intp), axis=1).astype(np.float32)


@dataclass(frozen=True)
class Sparse:
    """Single weights that are added, row by row.

    Attributes
    ----------
    counts
        How many each row has, shape (rows,).
    columns, values
        Of each of them, in order of rows.
    """

    counts: NDArray[np.uint16]
    columns: NDArray[np.uint16]
    values: Half

    def dense(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """The same with its zeros."""
        full = np.zeros(shape, dtype=np.float32)
        full[np.repeat(np.arange(shape[0]), self.counts), self.columns] = self.values
        return full

    @staticmethod
    def where(chosen: NDArray[np.bool_], weights: NDArray[np.float32]) -> Sparse:
        """The chosen ones of some weights."""
        rows, columns = np.nonzero(chosen)
        counts = np.bincount(rows, minlength=chosen.shape[0]).astype(np.uint16)
        return Sparse(counts, columns.astype(np.uint16), weights[rows, columns].astype(np.float16))


@dataclass(frozen=True)
class Adapter:
    """A product of low rank that is added: `left` of shape (rows, rank), `right` of (rank, columns)."""

    left: Half
    right: Half

    def product(self) -> NDArray[np.float32]:
        """The product, shape (rows, columns)."""
        return self.left.astype(np.float32) @ self.right.astype(np.float32)


@dataclass(frozen=True)
class Matrix:
    """A compressed matrix.

    Attributes
    ----------
    bits
        Of an index.
    indices
        Shape (rows, columns); 0 where `kept` is false.
    levels
        What they stand for.
    kept
        Which weights are not pruned; None for all.
    sparse, adapter
        What is added; None for nothing.
    """

    bits: int
    indices: NDArray[np.uint8]
    levels: Grid | Table
    kept: NDArray[np.bool_] | None = None
    sparse: Sparse | None = None
    adapter: Adapter | None = None

    def decode(self) -> NDArray[np.float32]:
        """The weights, shape (rows, columns)."""
        weights = self.levels.values(self.indices)
        if self.kept is not None:
            weights[~self.kept] = 0
        if self.sparse is not None:
            weights += self.sparse.dense(weights.shape)
        if self.adapter is not None:
            weights += self.adapter.product()
        return weights

    def with_adapter(self, adapter: Adapter) -> Matrix:
        """The same with an adapter beside the one that it may have."""
        if self.adapter is not None:
            left = np.concatenate([self.adapter.left, adapter.left], axis=1)
            adapter = Adapter(left, np.concatenate([self.adapter.right, adapter.right]))
        return dataclasses.replace(self, adapter=adapter)

    @property
    def symbols(self) -> NDArray[np.uint8]:
        """The indices of the weights that are kept, in order of rows."""
        return self.indices.ravel() if self.kept is None else self.indices[self.kept]
