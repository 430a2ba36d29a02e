"""conf/compression.yaml and conf/compression/: text that techniques are judged on, and runs of techniques."""

from __future__ import annotations

from typing import Any

from edgebatch.schema import Checked, integer


class TextSettings(Checked):
    """Text of the 16-bit decoder: so many sequences to calibrate and to evaluate on, of so many tokens."""

    tokens: int = integer(at_least=2)
    calibration_sequences: int = integer(at_least=1)
    evaluation_sequences: int = integer(at_least=2)
    seed: int = integer(at_least=0)


class CompressionConfig(Checked):
    """What all runs share.

    Attributes
    ----------
    measurement
        Folder of measurements/compression/ that figures show.
    """

    measurement: str
    text: TextSettings


class CompressionRun(Checked):
    """One run: a technique of `edgebatch.compression.techniques` with its options, and tuning, if any.

    `edgebatch.compression` checks options and tuning.
    """

    technique: str
    options: dict[str, Any]
    tuning: dict[str, Any] | None = None
