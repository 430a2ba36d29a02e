"""What a measurement says: predictions of steps, speed-ups of formats, and how replays went."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from edgebatch_artifact.engine.fits import fit_formats
from edgebatch_artifact.engine.measurement import Measurement
from edgebatch_artifact.settings.measured.engine import (
    ENGINE_BATCHES,
    ENGINE_FIT,
    ENGINE_GOODPUT,
    ENGINE_SPEEDUP,
)


class Known(NamedTuple):
    """What conf/ says of what is measured.

    Attributes
    ----------
    looks
        Label, colour and marker of each scheduler.
    speedups
        Speed-up over 16 bits that experiments assume, such as ``{"w4": 2.0}``.
    """

    looks: Mapping[str, Mapping[str, str]]
    speedups: Mapping[str, float]


REFERENCE = "F16"
"""The format that others are compared with."""


def engine_tables(measurement: Measurement, known: Known) -> dict[str, pd.DataFrame]:
    """The table behind each figure, by name."""
    machine = measurement.machine
    _, predictions = fit_formats(machine, measurement.steps)
    bits = {name: size.bits for name, size in machine.formats.items()}
    return {
        ENGINE_FIT: predictions.rename(columns={"median": "measured"}),
        ENGINE_SPEEDUP: _speedups(predictions, bits, measurement.perplexity, known.speedups),
        ENGINE_GOODPUT: _with_looks(_goodput(measurement), known, ("label", "color", "marker")),
        ENGINE_BATCHES: _with_looks(
            measurement.batches.drop(columns=["start_s", "padded_prompt_tokens"]), known, ("label",)
        ),
    }


def _with_looks(table: pd.DataFrame, known: Known, wanted: tuple[str, ...]) -> pd.DataFrame:
    return table.assign(**{key: [known.looks[name][key] for name in table["scheduler"]] for key in wanted})


def _speedups(
    predictions: pd.DataFrame, bits: dict[str, float], perplexity: pd.DataFrame, assumed: Mapping[str, float]
) -> pd.DataFrame:
    """Time of the reference format over that of each, with the range that the repetitions allow.

    Perplexities are those of the answers together, over that of the reference format.
    """
    point = ["stage", "batch", "tokens"]
    reference = predictions[predictions["format"] == REFERENCE].set_index(point)[["median", "min", "max"]]
    others = predictions.join(reference.add_suffix("_16"), on=point)
    spoken = np.exp(perplexity.groupby("format")["mean_nll"].mean())
    return pd.DataFrame(
        {
            "format": others["format"],
            "bits": others["format"].map(bits),
            "stage": others["stage"],
            "batch": others["batch"],
            "tokens": others["tokens"],
            "speedup": others["median_16"] / others["median"],
            "low": others["min_16"] / others["max"],
            "high": others["max_16"] / others["min"],
            "assumed": [assumed[f"w{_nominal_bits(name)}"] for name in others["format"]],
            "perplexity_ratio": others["format"].map(spoken / spoken[REFERENCE]),
        }
    )


def _nominal_bits(format: str) -> int:
    """Bits of a weight in the name of a format, scales of groups not counted."""
    found = re.search(r"\d+", format)
    assert found is not None, "every format of llama.cpp has its bits in its name"
    return int(found[0])


def _goodput(measurement: Measurement) -> pd.DataFrame:
    """Predicted and real goodput of each run, in equal parts by arrival, each with a number as ``seed``."""
    replay = measurement.machine.settings.replay
    requests = measurement.requests.copy()
    requests["in_time"] = requests["answered_s"] <= requests["arrival_s"] + requests["latency_s"]
    length_s = requests["arrival_s"].max() / replay.blocks * (1 + 1e-9)
    requests["seed"] = (requests["arrival_s"] // length_s).astype(int)
    keys = ["scheduler", "margin", "seed"]
    counted = requests.groupby(keys, sort=False)[["predicted_in_time", "in_time"]].sum() / length_s
    columns = {"predicted_in_time": "predicted_per_s", "in_time": "goodput_per_s"}
    return counted.rename(columns=columns).reset_index()


def ends(decode: pd.DataFrame) -> tuple[int, int]:
    """The least and the largest batch."""
    return int(decode["batch"].min()), int(decode["batch"].max())


def gains(points: pd.DataFrame, format: str) -> pd.Series:
    """Tokens per second of the largest batch over those of a batch of one, by tokens of context."""
    decode = points[(points["stage"] == "decode") & (points["format"] == format)]
    times = decode.pivot(index="tokens", columns="batch", values="measured")
    least, most = ends(decode)
    return most / least * times[least] / times[most]
