"""conf/engine.yaml: what is measured of a real engine, and which measurement figures show."""

from __future__ import annotations

from edgebatch.errors import InputError, one_of
from edgebatch.schema import Checked, integer, real

ENGINE_FIT, ENGINE_SPEEDUP, ENGINE_GOODPUT = "engine_fit", "engine_speedup", "engine_goodput"
ENGINE_BATCHES = "engine_batches"
ENGINE_FIGURES = (ENGINE_FIT, ENGINE_SPEEDUP, ENGINE_GOODPUT)
ENGINE_TABLES = (*ENGINE_FIGURES, ENGINE_BATCHES)
"""Names of the figures and the tables of the measured engine."""


class PrefillPoints(Checked):
    """First stages: batches of prompts of one length."""

    prompt_tokens: int = integer(at_least=1)
    batch: tuple[int, ...] = integer(at_least=1)


class DecodePoints(Checked):
    """Later steps: every batch at every context, and how many `steps` each; their median counts."""

    context_tokens: tuple[int, ...] = integer(at_least=1)
    batch: tuple[int, ...] = integer(at_least=1)
    steps: int = integer(at_least=1)


class Samples(Checked):
    """Answers that perplexities are measured on."""

    sequences: int = integer(at_least=1)
    tokens: int = integer(at_least=2)
    seed: int = integer(at_least=0)


class ReplayRun(Checked):
    """Runs of one file of conf/scheduler/, one for each margin."""

    scheduler: str
    margins: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        for place, margin in enumerate(self.margins):
            if not 0 <= margin < 1:
                raise InputError(f"margins[{place}]", margin, "a number from 0 to below 1")


class Replay(Checked):
    """Epochs in real time: with weights of which `format`, and Hydra `overrides` for the rest of the setting.

    Attributes
    ----------
    blocks
        Into how many parts a run is cut, by arrival; differences are paired by part.
    """

    format: str
    seed: int = integer(at_least=0)
    epochs: int = integer(at_least=1)
    blocks: int = integer(at_least=2)
    runs: tuple[ReplayRun, ...]
    overrides: tuple[str, ...]


class EngineConfig(Checked):
    """What is measured.

    Attributes
    ----------
    measurement
        Folder of measurements/engine/ that figures show.
    formats
        Formats of the weights.
    repetitions
        How often each point is measured, formats in alternating order.
    most_spread
        A measurement is refused if the median over its points of (largest - least) / median exceeds this.
    peak_repetitions
        How often the matrix product and the copy are repeated; the best counts.
    """

    measurement: str
    formats: tuple[str, ...]
    repetitions: int = integer(at_least=1)
    most_spread: float = real(above=0)
    peak_repetitions: int = integer(at_least=1)
    prefill: tuple[PrefillPoints, ...]
    decode: DecodePoints
    perplexity: Samples
    replay: Replay

    def __post_init__(self) -> None:
        super().__post_init__()
        if "F16" not in self.formats:
            raise InputError(
                "formats", ", ".join(self.formats), "F16 among them, which others are compared with"
            )
        if self.replay.format not in self.formats:
            raise InputError(
                "replay.format", repr(self.replay.format), one_of(self.replay.format, self.formats)
            )

    @property
    def points(self) -> list[tuple[str, int, int]]:
        """Stage, batch, and prompt or context tokens of each point."""
        prefill = [("prefill", batch, entry.prompt_tokens) for entry in self.prefill for batch in entry.batch]
        decode = self.decode
        return prefill + [("decode", b, c) for c in decode.context_tokens for b in decode.batch]
