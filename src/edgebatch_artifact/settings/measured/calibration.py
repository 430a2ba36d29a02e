"""The format of conf/calibration/: published measurements, and which of their rows are fitted."""

from __future__ import annotations

from collections.abc import Collection

from edgebatch.errors import InputError, one_of
from edgebatch.schema import Checked, integer, real
from edgebatch_artifact.settings.configuration import Efficiencies
from edgebatch_artifact.settings.measured.engine import ENGINE_FIGURES, ENGINE_TABLES

CALIBRATION = "calibration"
"""Name of its figure and, in claims, of its results."""

ENGINE_LOGS = "engine_logs"
"""Name of the figure and the table of logs of a real engine."""

LATENCIES = {"ttft_s": "time to first token", "tpot_s": "time per token", "latency_s": "end to end"}
"""What logs and simulation are compared in."""

ACCURACY_AGAINST_BITS, TECHNIQUE_SEQUENCES = "accuracy_against_bits", "technique_sequences"
TECHNIQUE_TABLES = (ACCURACY_AGAINST_BITS, TECHNIQUE_SEQUENCES)
"""Names of the tables of the measured techniques; the first has a figure."""

CALIBRATION_FIGURES = (CALIBRATION, ENGINE_LOGS, *ENGINE_FIGURES, ACCURACY_AGAINST_BITS)
CALIBRATION_TABLES = (CALIBRATION, "calibration_fits", ENGINE_LOGS, *ENGINE_TABLES, *TECHNIQUE_TABLES)
"""Figures and tables of all that was measured. The CSV of the same name has what is behind each."""

MODELS = ("ideal", "calibrated")
"""The roofline at the peaks, and with fitted efficiencies."""

FITTED = "fitted"
JUDGED = {
    "prompts": "other prompt lengths",
    "batches": "other batch sizes",
    "outputs": "other output lengths",
    "model": "another model",
    "device": "another device",
}
"""What rows that were held out differ in from those that were fitted; prompts stand for contexts too, and a
row that differs in its batch counts there whatever else it differs in."""


class Rows(Checked):
    """Rows of a table: those that have one of the values given for each column; None admits any value."""

    model: tuple[str, ...] | None = None
    edge_node: tuple[str, ...] | None = None
    devices: tuple[int, ...] | None = None
    batch: tuple[int, ...] | None = None
    prompt_tokens: tuple[int, ...] | None = None
    output_tokens: tuple[int, ...] | None = None


class FitEntry(Checked):
    """One fit: of some models, on some of one device.

    Attributes
    ----------
    models
        Files of conf/model/ whose rows are fitted.
    edge_node
        File of conf/edge_node/ with the device's peaks.
    free
        Fields of `Efficiencies` that are fitted.
    devices
        How many such devices are pooled.
    given_by
        Fit of the same file, further up, that gives the other fields; without it they are ideal.
    """

    models: tuple[str, ...]
    edge_node: str
    free: tuple[str, ...]
    devices: int = integer(at_least=1, default=1)
    given_by: str | None = None


class Operators(Checked):
    """Times of single operators, which are summed to steps.

    Attributes
    ----------
    folder
        Folder of measurements/ with a folder for each edge node.
    model
        File of conf/model/ whose operators they are.
    """

    folder: str
    model: str


class Source(Checked):
    """One source of measurements.

    Attributes
    ----------
    weight_bits
        Bits of a weight; the KV cache has 16.
    fitted
        Rows that are fitted, of those with the model and the node of a fit; it is judged on the others.
    steps
        File of measurements/ with a row for each measured batch; a source has either this or `operators`.
    leave_out
        Rows that are neither fitted nor judged.
    """

    label: str
    weight_bits: float = real(above=0, at_most=16)
    fitted: Rows
    fits: dict[str, FitEntry]
    steps: str | None = None
    operators: Operators | None = None
    leave_out: tuple[Rows, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.steps is None) == (self.operators is None):
            raise InputError("steps", "both or none", "either steps or operators")
        for index, (name, entry) in enumerate(self.fits.items()):
            earlier = list(self.fits)[:index]
            if entry.given_by is not None and entry.given_by not in earlier:
                raise InputError(
                    f"fits.{name}.given_by", repr(entry.given_by), one_of(entry.given_by, earlier)
                )
            check_names(f"fits.{name}.free", entry.free, Efficiencies.__dataclass_fields__)


def check_names(key: str, found: Collection[str], known: Collection[str]) -> None:
    """Refuse a name that is not known."""
    for name in found:
        if name not in known:
            raise InputError(key, repr(name), one_of(name, known))
