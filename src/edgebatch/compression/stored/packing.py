"""Numbers of few bits, packed without gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pack(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Pack numbers below 2**bits, lowest bit first; ceil(bits * size / 8) bytes."""
    planes = numbers.ravel()[:, None] >> np.arange(bits, dtype=np.uint8) & 1
    return np.packbits(planes, bitorder="little")


def unpack(packed: NDArray[np.uint8], bits: int, size: int) -> NDArray[np.uint8]:
    """The numbers that were packed, shape (size,)."""
    planes = np.unpackbits(packed, count=bits * size, bitorder="little").reshape(size, bits)
    return (planes << np.arange(bits, dtype=np.uint8)).sum(axis=1, dtype=np.uint8)


def in_bytes(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """As many numbers below 2**bits to a byte as it holds whole; the last byte is filled up with zeros.

    Coders take these for symbols: a word of a Huffman code has whole bits, which costs single numbers of few
    bits more than groups of them.
    """
    count = 8 // bits
    filled = np.zeros(-(-numbers.size // count) * count, dtype=np.uint8)
    filled[: numbers.size] = numbers
    parts = filled.reshape(-1, count) << (bits * np.arange(count, dtype=np.uint8))
    return parts.sum(axis=1, dtype=np.uint8)


def from_bytes(symbols: NDArray[np.uint8], bits: int, size: int) -> NDArray[np.uint8]:
    """The numbers that `in_bytes` put together, shape (size,)."""
    shifts = bits * np.arange(8 // bits, dtype=np.uint8)
    parts = symbols[:, None] >> shifts & np.uint8(2**bits - 1)
    return parts.ravel()[:size]
