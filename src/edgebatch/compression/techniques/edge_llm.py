"""EDGE-LLM's layer-wise unified compression: bits and sparsity of each layer, chosen for a budget.

Yu et al., arXiv 2406.15758: what a layer loses at each bit width and sparsity decides what it gets.
Ours: the loss is the error of the layer's output on 16-bit inputs, weights of least magnitude are pruned in
each row, and the policy is the best one for the sum of errors, by dynamic programming. The tuning that the
paper adds is in `edgebatch.compression.tuning`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from typing import ClassVar

import numpy as np

from edgebatch.compression.decoder.decoder import MATRICES, Layer, output_error, run_layer
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Matrix
from edgebatch.compression.techniques import CompressLayer
from edgebatch.compression.techniques._grid import Weights, grid_of, nearest
from edgebatch.compression.techniques._policy import best_policy
from edgebatch.errors import InputError
from edgebatch.schema import Checked, integer, real


class Options(Checked):
    """Options of EDGE-LLM's compression.

    Attributes
    ----------
    mean_weight_bits, mean_pruned_percent
        Budget: means over layers, met exactly.
    weight_bits, pruned_percent
        What a layer may have: bits of an index, and weights that are pruned, in percent.
    group
        Columns of a group that shares a scale; 0 for a whole row.
    sequences
        How many sequences of the calibration text errors are measured on.
    """

    needs: ClassVar[frozenset[str]] = frozenset()

    mean_weight_bits: float = real(above=0)
    mean_pruned_percent: float = real(at_least=0, at_most=100)
    weight_bits: tuple[int, ...] = integer(at_least=1, at_most=8)
    pruned_percent: tuple[int, ...] = integer(at_least=0, at_most=90)
    group: int = integer(at_least=0)
    sequences: int = integer(at_least=1)

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Bits and percents that a layer may have."""
        return list(itertools.product(self.weight_bits, self.pruned_percent))

    def begin(self, reference: Reference) -> CompressLayer:
        """Choose bits and sparsity of each layer."""
        policy = self.policy(reference)
        return lambda task: self.compress(task.weights, *policy[task.number])

    def policy(self, reference: Reference) -> list[tuple[int, int]]:
        """Bits and pruned percent of each layer.

        Raises
        ------
        InputError
            If no choice of levels has the means.
        """
        layers = reference.decoder.shape.layers
        wanted = self.mean_weight_bits * layers, self.mean_pruned_percent * layers
        budget = tuple(round(total) for total in wanted)
        # a mean such as 3.3 of 30 layers is 99 but for the last bits
        whole = all(
            Fraction(str(t)).limit_denominator(10**6) == b for t, b in zip(wanted, budget, strict=True)
        )
        # errors take a while, and whether the budget can be met does not depend on them
        none = [[0.0] * len(self.levels)] * layers
        if not whole or best_policy(none, self.levels, budget) is None:
            found = f"{self.mean_weight_bits:g} bits and {self.mean_pruned_percent:g} % in the mean"
            expected = f"means of {layers} layers with bits {list(self.weight_bits)}"
            raise InputError(
                "options.mean_weight_bits", found, f"{expected} and percents {list(self.pruned_percent)}"
            )
        chosen = best_policy(self.errors(reference), self.levels, budget)
        assert chosen is not None
        return [self.levels[level] for level in chosen]

    def errors(self, reference: Reference) -> list[list[float]]:
        """Error of each layer's output at each level, on inputs of the 16-bit decoder."""
        decoder = reference.decoder
        found: list[list[float]] = []
        inputs = reference.embedded[: self.sequences]
        for number in range(decoder.shape.layers):
            weights = decoder.layer(number)
            exact = np.asarray(run_layer(decoder.shape, weights, inputs))
            found.append([])
            for level in self.levels:
                changed = weights | {
                    name: matrix.decode() for name, matrix in self.compress(weights, *level).items()
                }
                output = np.asarray(run_layer(decoder.shape, changed, inputs))
                found[-1].append(float(output_error(output, exact)))
            inputs = exact
        return found

    def compress(self, weights: Layer, weight_bits: int, pruned_percent: int) -> Mapping[str, Matrix]:
        """Compress the matrices of a layer at one level."""
        return {name: self._matrix(weights[name], weight_bits, pruned_percent) for name in MATRICES}

    def _matrix(self, weights: Weights, weight_bits: int, pruned_percent: int) -> Matrix:
        pruned = weights.shape[1] * pruned_percent // 100
        kept = None
        if pruned:
            kept = np.ones(weights.shape, dtype=bool)
            np.put_along_axis(
                kept, np.argsort(np.abs(weights), axis=1, kind="stable")[:, :pruned], False, axis=1
            )
            weights = np.where(kept, weights, 0)
        levels = grid_of(weights, weight_bits, self.group)
        indices = nearest(levels, weights, weight_bits)
        return Matrix(weight_bits, indices if kept is None else np.where(kept, indices, 0), levels, kept)
