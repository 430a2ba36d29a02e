"""Numbers of few bits, packed without gaps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pack(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Pack numbers below 2**bits, lowest bit first; ceil(bits * size / 8) bytes."""
    planes = np.unpackbits(numbers.reshape(-1, 1), axis=1, count=bits, bitorder="little")
    return np.packbits(planes, bitorder="little")


def unpack(packed: NDArray[np.uint8], bits: int, size: int) -> NDArray[np.uint8]:
    """The numbers that were packed, shape (size,)."""
    planes = np.unpackbits(packed, count=bits * size, bitorder="little")
    numbers = np.zeros(size, dtype=np.uint8)
    for place in range(bits):
        numbers |= planes[place::bits] << np.uint8(place)
    return numbers


def in_bytes(numbers: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """As many numbers below 2**bits to a byte as it holds whole; the last byte is filled up with zeros.

    Coders take these for symbols: a word of a Huffman code has whole bits, which costs single numbers of few
    bits more than groups of them.
    """
    count = 8 // bits
    filled = np.zeros(-(-numbers.size // count) * count, dtype=np.uint8)
    filled[: numbers.size] = numbers
    symbols = np.zeros(filled.size // count, dtype=np.uint8)
    for place in range(count):
        symbols |= filled[place::count] << np.uint8(bits * place)
    return symbols


def from_bytes(symbols: NDArray[np.uint8], bits: int, size: int) -> NDArray[np.uint8]:
    """The numbers that `in_bytes` put together, shape (size,)."""
    shifts = bits * np.arange(8 // bits, dtype=np.uint8)
    parts = symbols[:, None] >> shifts & np.uint8(2**bits - 1)
    return parts.ravel()[:size]
