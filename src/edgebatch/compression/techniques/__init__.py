"""Techniques of compression, one file each; the registry is the list of files.

A technique's file has a class ``Options`` that derives from `edgebatch.schema.Checked`: its fields are the
options, and it satisfies `Technique`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, NamedTuple, Protocol

from numpy.typing import NDArray

from edgebatch.compression.decoder.decoder import Layer
from edgebatch.compression.reference import Reference
from edgebatch.compression.stored.matrix import Matrix
from edgebatch.errors import InputError, one_of
from edgebatch.schema import read


class LayerTask(NamedTuple):
    """A layer to compress.

    Attributes
    ----------
    number
        From 0.
    weights
        Its matrices and norms.
    inputs, exact_inputs
        Hidden states of the calibration text before it, behind the compressed layers and behind those of the
        16-bit decoder, shape (sequences, tokens, hidden_size); None where the technique does not need them.
    """

    number: int
    weights: Layer
    inputs: NDArray[Any] | None
    exact_inputs: NDArray[Any] | None


CompressLayer = Callable[[LayerTask], Mapping[str, Matrix]]
"""Compresses the matrices of a layer; layers come in order."""


class Technique(Protocol):
    """How a decoder is compressed, with its options."""

    needs: ClassVar[frozenset[str]]
    """Which fields of a layer's task it asks for, beside weights; hidden states take time to compute."""

    def begin(self, reference: Reference) -> CompressLayer:
        """Do what concerns the whole decoder; return what compresses one layer after the other."""


@cache
def names() -> tuple[str, ...]:
    """Names of all techniques, in alphabetical order. Imports none of them."""
    modules = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in modules if not name.startswith("_")))


def get(name: str, options: object) -> Technique:
    """The technique `name` with its options.

    Raises
    ------
    InputError
        If there is no such technique or option, or an option is missing or out of its range.
    """
    if name not in names():
        raise InputError("technique", repr(name), one_of(name, names()))
    found: Technique = read(importlib.import_module(f"{__name__}.{name}").Options, options, "options")
    return found
