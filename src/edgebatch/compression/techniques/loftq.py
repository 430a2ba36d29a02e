"""LoftQ's start: quantized weights and an adapter of low rank that together are near the weights.

Li et al., arXiv 2310.08659, Algorithm 1, with uniform levels: in turn, what the adapter leaves is quantized,
and the adapter becomes an approximation of low rank of what quantized weights leave. It sees no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from edgebatch.compression.decoder.decoder import MATRICES
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Adapter, Matrix
from edgebatch.compression.techniques import CompressLayer, LayerTask
from edgebatch.compression.techniques._grid import Weights, grid_of, nearest
from edgebatch.schema import Checked, integer

EXTRA_COLUMNS, ITERATIONS = 16, 6
"""Of the subspace iteration: within a per mille of the best error on matrices of noise, its hardest case."""


class Options(Checked):
    """Options of LoftQ.

    Attributes
    ----------
    weight_bits
        Bits of an index.
    group
        Columns of a group that shares a scale; 0 for a whole row.
    rank
        Rank of the adapters.
    iterations
        How often weights and adapter are fitted in turn.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    weight_bits: int = integer(at_least=1, at_most=8)
    group: int = integer(at_least=0)
    rank: int = integer(at_least=1)
    iterations: int = integer(at_least=1)

    def begin(self, reference: Reference) -> CompressLayer:
        """Return what compresses a layer."""
        return self._layer

    def _layer(self, task: LayerTask) -> Mapping[str, Matrix]:
        return {name: self.compress(task.weights[name]) for name in MATRICES}

    def compress(self, weights: Weights) -> Matrix:
        """Compress one matrix."""
        product = np.zeros_like(weights)
        for _ in range(self.iterations):
            levels = grid_of(weights - product, self.weight_bits, self.group)
            indices = nearest(levels, weights - product, self.weight_bits)
            adapter = low_rank(weights - levels.values(indices), self.rank)
            product = adapter.product()
        return Matrix(self.weight_bits, indices, levels, adapter=adapter)


def low_rank(weights: Weights, rank: int) -> Adapter:
    """An approximation of low rank that is nearly the best, by iterating a subspace of singular vectors.

    Halko, Martinsson and Tropp, arXiv 0909.4061, Algorithm 4.4; the columns beyond the rank speed it up.
    """
    rng = np.random.default_rng(0)
    size = min(weights.shape)
    basis = rng.standard_normal((weights.shape[1], min(size, rank + EXTRA_COLUMNS))).astype(np.float32)
    for _ in range(ITERATIONS):
        basis = np.linalg.qr(weights.T @ (weights @ basis))[0]
    left, values, turned = np.linalg.svd(weights @ basis, full_matrices=False)
    roots = np.sqrt(values[:rank])
    right = roots[:, None] * (turned[:rank] @ basis.T)
    return Adapter((left[:, :rank] * roots).astype(np.float16), right.astype(np.float16))
