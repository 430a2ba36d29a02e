"""A measurement of a machine and its engine, as it is stored: measurements/engine/NAME/."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from edgebatch.model.llm import Llm
from edgebatch.schema import Checked, integer, real
from edgebatch_artifact.settings.measured.engine import EngineConfig

FORMAT = "edgebatch-measurement/1"

STEPS = ("repetition", "format", "stage", "batch", "tokens", "seconds")
"""Columns of steps.csv: `tokens` of each prompt or context, `seconds` of the first stage or of a step."""

PERPLEXITY = ("format", "sequence", "mean_nll")
"""Columns of perplexity.csv: mean negative log-likelihood of the tokens of each answer."""

BATCHES = (
    "scheduler",
    "margin",
    "epoch",
    "start_s",
    "served",
    "padded_prompt_tokens",
    "solve_s",
    "predicted_s",
    "deadline_s",
    "measured_s",
)
"""Columns of batches.csv, a row for each epoch; those of `edgebatch.engine.epochs.EpochRun`."""

REQUESTS = (
    "scheduler",
    "margin",
    "request",
    "arrival_s",
    "prompt_tokens",
    "output_tokens",
    "latency_s",
    "predicted_in_time",
    "answered_s",
)
"""Columns of requests.csv: whether the simulation serves each in time, and when it was answered, if ever."""

TABLES = {"steps": STEPS, "perplexity": PERPLEXITY, "batches": BATCHES, "requests": REQUESTS}


class FormatSize(Checked):
    """Size of the weights in one format."""

    parameters: int = integer(at_least=1)
    weight_bytes: int = integer(at_least=1)

    @property
    def bits(self) -> float:
        """Bits of a weight in the mean, scales included; norms in 32 bits do not lift it above 16."""
        return min(16.0, 8 * self.weight_bytes / self.parameters)


class Machine(Checked):
    """Where and with what it was measured: measurement.json.

    Attributes
    ----------
    flops, bandwidth_bytes_per_s
        Peaks by a matrix product and by a copy, of all threads together.
    engine
        Versions of the bindings and of llama.cpp.
    model, model_sha256
        Name of the GGUF file and digest of its bytes.
    settings
        conf/engine.yaml as it was.
    """

    date: str
    system: str
    python: str
    processor: str
    cores: int = integer(at_least=1)
    threads: int = integer(at_least=1)
    memory_bytes: float = real(above=0)
    flops: float = real(above=0)
    bandwidth_bytes_per_s: float = real(above=0)
    engine: str
    model: str
    model_sha256: str
    llm: Llm
    formats: dict[str, FormatSize]
    settings: EngineConfig


@dataclass(frozen=True)
class Measurement:
    """A whole measurement.

    Attributes
    ----------
    name
        Of its folder.
    steps, perplexity, batches, requests
        Tables with the columns of `TABLES`.
    """

    name: str
    machine: Machine
    steps: pd.DataFrame
    perplexity: pd.DataFrame
    batches: pd.DataFrame
    requests: pd.DataFrame


def median_spread(steps: pd.DataFrame) -> float:
    """Median over points of (largest - least) / median of the repetitions."""
    times = steps.groupby(["format", "stage", "batch", "tokens"])["seconds"]
    return float(((times.max() - times.min()) / times.median()).median())
