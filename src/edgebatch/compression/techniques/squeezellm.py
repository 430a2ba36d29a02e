"""SqueezeLLM: levels by k-means that Fisher information weights, and a few weights kept in a sparse matrix.

Kim et al., arXiv 2306.07629, Sections 4.1 (sensitivity) and 4.2 (dense and sparse).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import MATRICES
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Matrix, Sparse, Table
from edgebatch.compression.techniques import CompressLayer, LayerTask
from edgebatch.compression.techniques._grid import Weights
from edgebatch.compression.techniques._kmeans import centroids, nearest_level
from edgebatch.schema import Checked, integer, real

LEAST_SHARE = 1e-6
"""Of the mean Fisher information, what every weight has: levels follow from weights also where it is 0."""


class Options(Checked):
    """Options of SqueezeLLM.

    Attributes
    ----------
    weight_bits
        Bits of an index; each output channel has 2**weight_bits levels.
    weighted
        Whether Fisher information weights the k-means.
    sensitive_share, outlier_share
        Shares of a matrix's weights with the most Fisher information, and of the largest, that are kept
        in 16 bits in the sparse matrix.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"fisher"})

    weight_bits: int = integer(at_least=1, at_most=8)
    weighted: bool
    sensitive_share: float = real(at_least=0, at_most=1)
    outlier_share: float = real(at_least=0, at_most=1)

    def begin(self, reference: Reference) -> CompressLayer:
        """Return what compresses a layer."""
        return self._layer

    def _layer(self, task: LayerTask) -> Mapping[str, Matrix]:
        fisher = task.need("fisher")

        def one(name: str) -> Matrix:
            return self.compress(task.weights[name], fisher[name])

        with ThreadPoolExecutor() as threads:
            return dict(zip(MATRICES, threads.map(one, MATRICES), strict=True))

    def compress(self, weights: Weights, fisher: Weights) -> Matrix:
        """Compress one matrix; the centroids are those of the weights that are not kept."""
        chosen = most(fisher, self.sensitive_share) | most(np.abs(weights), self.outlier_share)
        importance = fisher / (fisher.mean() or 1) + LEAST_SHARE if self.weighted else np.ones_like(weights)
        found = centroids(weights, np.where(chosen, 0, importance).astype(np.float32), 2**self.weight_bits)
        table = Table(found.astype(np.float16))
        indices = nearest_level(weights, table.levels.astype(np.float32))
        if not chosen.any():
            return Matrix(self.weight_bits, indices, table)
        left = Sparse.where(chosen, weights - table.values(indices))
        return Matrix(self.weight_bits, indices, table, sparse=left)


def most(importance: Weights, share: float) -> NDArray[np.bool_]:
    """Whether a weight is among the share of the most important, shape of `importance`."""
    chosen, count = np.zeros(importance.size, dtype=bool), round(share * importance.size)
    if count:
        chosen[np.argpartition(importance, -count, axis=None)[-count:]] = True
    return chosen.reshape(importance.shape)
