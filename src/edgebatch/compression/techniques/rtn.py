"""RTN: every weight is rounded to the nearest of uniform levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from edgebatch.compression.decoder.decoder import MATRICES
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Matrix
from edgebatch.compression.techniques import CompressLayer, LayerTask
from edgebatch.compression.techniques._grid import (
    Weights,
    bounds,
    grid,
    nearest,
)
from edgebatch.errors import InputError
from edgebatch.schema import Checked, choice, integer


class Options(Checked):
    """Options of RTN.

    Attributes
    ----------
    weight_bits
        Bits of an index.
    scale_of
        What has a scale of its own: the whole tensor, or each channel (row) or group in it.
    group
        Columns of a group; 0 for a whole row.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    weight_bits: int = integer(at_least=1, at_most=8)
    scale_of: str = choice("tensor", "channel")
    group: int = integer(at_least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale_of == "tensor" and self.group:
            raise InputError("group", self.group, "0 for a scale of the whole tensor")

    def begin(self, reference: Reference) -> CompressLayer:
        """Return what rounds a layer."""
        return self._layer

    def _layer(self, task: LayerTask) -> Mapping[str, Matrix]:
        return {name: self._round(task.weights[name]) for name in MATRICES}

    def _round(self, weights: Weights) -> Matrix:
        low, high = bounds(weights, self.group)
        if self.scale_of == "tensor":
            low, high = low.min(keepdims=True), high.max(keepdims=True)
        levels = grid(low, high, self.weight_bits, self.group, weights.shape[1])
        return Matrix(self.weight_bits, nearest(levels, weights, self.weight_bits), levels)
