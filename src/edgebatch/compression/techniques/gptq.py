"""GPTQ: columns are rounded in turn, and the error of each is pushed to those that come later.

Frantar et al., arXiv 2210.17323, Algorithm 1: with H the mean of x x^T over the inputs x of a matrix, the
upper Cholesky factor U of the inverse of H has in its row i what column i's error costs later columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular

from edgebatch.compression.decoder.decoder import INPUT_OF, MATRICES
from edgebatch.compression.hessian import hessians
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Grid, Matrix
from edgebatch.compression.techniques import CompressLayer, LayerTask
from edgebatch.compression.techniques._grid import Weights, grid_of, nearest
from edgebatch.schema import Checked, integer, real

BLOCK = 64
"""Columns whose errors are pushed beyond them together."""


class Options(Checked):
    """Options of GPTQ.

    Attributes
    ----------
    weight_bits
        Bits of an index.
    group
        Columns of a group that shares a scale; 0 for a whole row.
    damping
        Share of the mean of H's diagonal that is added to the diagonal.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"inputs"})

    weight_bits: int = integer(at_least=1, at_most=8)
    group: int = integer(at_least=0)
    damping: float = real(above=0)

    def begin(self, reference: Reference) -> CompressLayer:
        """Return what rounds a layer."""
        shape = reference.decoder.shape

        def layer(task: LayerTask) -> Mapping[str, Matrix]:
            found = hessians(shape, task.weights, task.need("inputs"))
            damped = {name: self._damped(hessian) for name, hessian in found.items()}
            pushes = {name: push(hessian) for name, hessian in damped.items()}
            return {
                name: self._round(task.weights[name], damped[INPUT_OF[name]], pushes[INPUT_OF[name]])
                for name in MATRICES
            }

        return layer

    def _damped(self, hessian: NDArray[np.float64]) -> NDArray[np.float64]:
        # an input that is always 0 has no error to push
        mean = np.diag(hessian).mean() or 1.0
        return hessian + self.damping * mean * np.eye(len(hessian))

    def _round(self, weights: Weights, hessian: NDArray[np.float64], pushed: NDArray[np.float32]) -> Matrix:
        """Round a matrix; a row that rounding to the nearest serves better is rounded so."""
        levels, bits = grid_of(weights, self.weight_bits, self.group), self.weight_bits
        indices = push_errors(weights, levels, pushed, bits)
        plain = nearest(levels, weights, bits)
        errors = [row_errors(levels.values(found) - weights, hessian) for found in (plain, indices)]
        better = errors[0] < errors[1]
        indices[better] = plain[better]
        return Matrix(bits, indices, levels)


def row_errors(difference: Weights, hessian: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean squared error of each output, shape (rows,)."""
    found: NDArray[np.float32] = ((difference @ hessian.astype(np.float32)) * difference).sum(axis=1)
    return found


def push(hessian: NDArray[np.float64]) -> NDArray[np.float32]:
    """The upper Cholesky factor of the inverse, shape (columns, columns)."""
    # with rows and columns turned around, H = L L^T has the factor of the inverse as inverse of L^T
    turned = cholesky(hessian[::-1, ::-1], lower=True)[::-1, ::-1]
    return solve_triangular(turned, np.eye(len(turned))).astype(np.float32)


def push_errors(weights: Weights, levels: Grid, pushed: NDArray[np.float32], bits: int) -> NDArray[np.uint8]:
    """Round column by column; indices, shape (rows, columns)."""
    left, columns = weights.T.copy(), weights.shape[1]
    indices = np.empty(left.shape, dtype=np.uint8)
    of_column = np.arange(columns) // levels.group
    scales, zeros = (a.T.astype(np.float32)[of_column] for a in (levels.scales, levels.zeros))
    for begin in range(0, columns, BLOCK):
        end = min(begin + BLOCK, columns)
        errors = np.empty((end - begin, weights.shape[0]), dtype=np.float32)
        for i in range(begin, end):
            steps = np.clip(np.rint(left[i] / scales[i]) + zeros[i], 0, 2**bits - 1)
            indices[i] = steps
            errors[i - begin] = (left[i] - (steps - zeros[i]) * scales[i]) / pushed[i, i]
            left[i + 1 : end] -= np.outer(pushed[i, i + 1 : end], errors[i - begin])
        left[end:] -= pushed[begin:end, end:].T @ errors
    return np.ascontiguousarray(indices.T)
