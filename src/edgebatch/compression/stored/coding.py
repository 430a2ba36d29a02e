"""Indices coded without loss: by zstd, and by a canonical Huffman code."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import zstandard
from bitarray import bitarray
from bitarray.util import canonical_decode, canonical_huffman
from numpy.typing import NDArray

Symbols = NDArray[np.uint8]

ZSTD_LEVEL = 9
"""Higher ones take many times as long, and save less than a per cent of indices."""


class Coder(NamedTuple):
    """`decode(encode(symbols), symbols.size)` gives the symbols."""

    encode: Callable[[Symbols], NDArray[np.uint8]]
    decode: Callable[[NDArray[np.uint8], int], Symbols]


def _zstd(symbols: Symbols) -> NDArray[np.uint8]:
    coded = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(symbols.tobytes())
    return np.frombuffer(coded, dtype=np.uint8)


def _from_zstd(coded: NDArray[np.uint8], size: int) -> Symbols:
    whole = zstandard.ZstdDecompressor().decompress(coded.tobytes(), max_output_size=size)
    return np.frombuffer(whole, dtype=np.uint8)


LONGEST = 31
"""Longest word of a code, as bitarray has it; a longer one needs a symbol rarer than one in two million."""

HEAD = 2 * LONGEST + 2
"""Bytes before a code's table of symbols: how many words there are of each length, and of all lengths."""


def _huffman(symbols: Symbols) -> NDArray[np.uint8]:
    counts = np.bincount(symbols)
    words, lengths, order = canonical_huffman({int(s): int(counts[s]) for s in np.flatnonzero(counts)})
    coded = bitarray(endian="little")
    coded.encode(words, symbols.tobytes())
    head = np.zeros(LONGEST + 1, dtype="<u2")
    head[: len(lengths) - 1], head[-1] = lengths[1:], len(order)
    return np.frombuffer(head.tobytes() + bytes(order) + coded.tobytes(), dtype=np.uint8)


def _from_huffman(coded: NDArray[np.uint8], size: int) -> Symbols:
    *lengths, words = coded[:HEAD].view("<u2").tolist()
    bits = bitarray(endian="little")
    bits.frombytes(coded[HEAD + words :].tobytes())
    decoded = canonical_decode(bits, [0, *lengths], coded[HEAD : HEAD + words].tolist())
    # what fills the last byte may read as words, and is left alone
    return np.fromiter(decoded, dtype=np.uint8, count=size)


CODERS = {"zstd": Coder(_zstd, _from_zstd), "huffman": Coder(_huffman, _from_huffman)}


def entropy(symbols: Symbols) -> float:
    """Bits that a symbol takes at least, if each is coded by itself."""
    shares = np.bincount(symbols) / symbols.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())
