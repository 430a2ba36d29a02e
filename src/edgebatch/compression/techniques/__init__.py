"""Techniques of compression, one file each; the registry is the list of files.

A technique's file has a class ``Options`` that derives from `edgebatch.schema.Checked`: its fields are the
options, and it satisfies `Technique`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from edgebatch import registry
from edgebatch.compression.decoder.decoder import Layer
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Matrix
from edgebatch.schema import read

NEEDS = ("inputs", "exact_inputs", "fisher")
"""What a technique may need of a layer, which takes time to compute.

``inputs`` are the hidden states of the calibration text before the layer, behind the compressed layers, and
``exact_inputs`` those behind the layers of the 16-bit decoder, shape (sequences, tokens, hidden_size).
``fisher`` is the diagonal of the Fisher information of its matrices, a layer.
"""


class LayerTask(NamedTuple):
    """A layer to compress.

    Attributes
    ----------
    number
        From 0.
    weights
        Its matrices and norms.
    found
        What the technique needs beside them, by the names in `NEEDS`.
    """

    number: int
    weights: Layer
    found: Mapping[str, Any]

    def need(self, name: str) -> Any:
        """One of `NEEDS` that the technique says it needs."""
        return self.found[name]


CompressLayer = Callable[[LayerTask], Mapping[str, Matrix]]
"""Compresses the matrices of a layer; layers come in order."""


class Technique(Protocol):
    """How a decoder is compressed, with its options."""

    needs: ClassVar[frozenset[str]]
    """Which of `NEEDS` a layer's task has."""

    def begin(self, reference: Reference) -> CompressLayer:
        """Do what concerns the whole decoder; return what compresses one layer after the other."""


def names() -> tuple[str, ...]:
    """Names of all techniques, in alphabetical order. Imports none of them."""
    return registry.names(__name__)


def get(name: str, options: object) -> Technique:
    """The technique `name` with its options.

    Raises
    ------
    InputError
        If there is no such technique or option, or an option is missing or out of its range.
    """
    module = registry.module(__name__, name, "technique")
    found: Technique = read(module.Options, options, "options")
    return found
