"""What a measurement of techniques says: perplexity over bits, beside values that others published."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from edgebatch.schema import Checked, real
from edgebatch_artifact.compression.measurement import REFERENCE, SEQUENCES, SUMMARY, Machine, Techniques
from edgebatch_artifact.settings.measured.calibration import ACCURACY_AGAINST_BITS, TECHNIQUE_SEQUENCES

MODEL = "smollm2_135m"
"""File of conf/model/ that is measured."""

NAMES = {
    "rtn": "RTN",
    "gptq": "GPTQ",
    "squeezellm": "SqueezeLLM",
    "loftq": "LoftQ-like",
    "apiq": "ApiQ",
    "edge_llm": "EDGE-LLM",
}
"""Names of techniques in figures; any other is shown as its file is called."""


def family(machine: Machine, run: str) -> str:
    """Name of the technique of a run."""
    technique = machine.runs[run].technique
    return NAMES.get(technique, technique)


def label(machine: Machine, run: str) -> str:
    """Name of a run: its technique, and what its file's name says besides."""
    more = run.removeprefix(machine.runs[run].technique).replace("_", " ").strip()
    return f"{family(machine, run)} {more}".strip()


class Published(Checked):
    """What others published of a technique: bits, and perplexities by model, with those of 16 bits."""

    label: str
    weight_bits: float = real(above=0)
    activation_bits: float = real(above=0)
    perplexity: dict[str, float]
    fp16: dict[str, float]


def technique_tables(techniques: Techniques, published: Mapping[str, Published]) -> dict[str, pd.DataFrame]:
    """The table behind each figure and claim, by name.

    Parameters
    ----------
    published
        Files of conf/quantization/ with values of others, by name.
    """
    machine = techniques.machine
    runs = techniques.summary[techniques.summary["run"] != REFERENCE]
    before = float(techniques.summary.set_index("run").at[REFERENCE, "perplexity"])
    measured = runs.assign(
        family=[family(machine, run) for run in runs["run"]],
        label=[label(machine, run) for run in runs["run"]],
        model=MODEL,
        fp16=before,
    )
    points = pd.concat([measured, _published(published)], ignore_index=True)
    own = techniques.sequences[techniques.sequences["run"] != REFERENCE]
    texts = own.assign(label=[label(machine, run) for run in own["run"]])
    return {
        ACCURACY_AGAINST_BITS: points[["family", "label", "model", "fp16", *SUMMARY]],
        TECHNIQUE_SEQUENCES: texts[["label", *SEQUENCES]],
    }


def _published(files: Mapping[str, Published]) -> pd.DataFrame:
    """A row for each technique and model of which a perplexity was published, 16 bits left out."""
    rows = [
        {
            "run": name,
            "family": PUBLISHED,
            "label": file.label,
            "model": model,
            "fp16": file.fp16[model],
            "perplexity": perplexity,
            "bits": file.weight_bits,
        }
        for name, file in files.items()
        for model, perplexity in file.perplexity.items()
        if file.weight_bits < 16 and file.activation_bits == 16 and model != MODEL and model in file.fp16
    ]
    columns = ["run", "family", "label", "model", "fp16", "perplexity", "bits"]
    return pd.DataFrame(rows, columns=columns).sort_values(["run", "model"], ignore_index=True)


PUBLISHED = "Published"
"""Family of the values that others published, of larger models."""
