"""A model larger than the node's memory: layers that live on storage are read anew in each step."""

from __future__ import annotations

from edgebatch.schema import Checked, real


class Storage(Checked):
    """Storage of a node, and what part of the decoder layers stays there.

    Attributes
    ----------
    share
        Share of the bytes of the layers' weights that is read from storage in each step. Embeddings and
        adapters stay in memory.
    speed_bytes_per_s
        Sequential reading, of all devices together.
    ratio
        How many times smaller the weights are as coded on storage; 1 for plain weights.
    decoder_bytes_per_s
        Bytes of decoded weights per second, of all devices together; None where nothing is decoded.
    capacity_bytes
        What the storage holds; None for no limit.

    Notes
    -----
    Reading and decoding overlap, so that the slower of them sets the time of loading [Compressibility of
    quantized LLMs, 2024]. Loading does not overlap with the step's own work [chosen]: a step is loading and
    work in sequence, at most twice as long as with both at once.
    """

    share: float = real(at_least=0, at_most=1)
    speed_bytes_per_s: float = real(at_least=1)
    ratio: float = real(at_least=0.5, default=1.0)
    decoder_bytes_per_s: float | None = real(at_least=1, default=None)
    capacity_bytes: float | None = real(above=0, default=None)

    def load_s(self, weight_bytes: float) -> float:
        """Time to load weights of so many bytes."""
        reading_s = weight_bytes / (self.ratio * self.speed_bytes_per_s)
        if self.decoder_bytes_per_s is None:
            return reading_s
        return max(reading_s, weight_bytes / self.decoder_bytes_per_s)

    def resident_bytes(self, weight_bytes: float, largest_layer_bytes: float) -> float:
        """Memory of the layers' weights: of those that stay, and of a buffer of the largest layer."""
        loaded_bytes = self.share * weight_bytes
        return weight_bytes - loaded_bytes + min(loaded_bytes, largest_layer_bytes)
