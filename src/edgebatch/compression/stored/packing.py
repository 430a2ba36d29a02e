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
