"""Compression on a tiny random decoder; `make compression` installs what it needs."""

import pytest

for package in ("jax", "gguf", "safetensors", "zstandard", "bitarray"):
    pytest.importorskip(package, reason="compression is not installed: make compression")
