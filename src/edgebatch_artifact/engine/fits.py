"""The roofline fitted to one half of the measured steps of each format, and judged on the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from edgebatch.calibration.fitting import fit
from edgebatch.calibration.measurement import Measurement as MeasuredTime
from edgebatch.calibration.measurement import predict
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch_artifact.engine.measurement import Machine

FREE = ("prefill_flops_share", "decode_flops_share", "attention_share", "bandwidth_share", "layer_s")
"""What is fitted. Attention runs in kernels of its own, which reach less than the products of matrices."""

QUANTITY = {"prefill": "prompt_s", "decode": "token_s"}


def node_of(machine: Machine, format: str, slots: Slots, efficiencies: Mapping[str, float]) -> System:
    """The measured machine with the model in one format; its devices are its threads.

    No factor of quantization is on the FLOPs: each format has efficiencies of its own.
    """
    return System(
        slots,
        machine.llm,
        Quantization(machine.formats[format].bits, 16, 1.0, 1.0),
        EdgeNode(machine.flops, machine.memory_bytes, machine.threads),
        cost=Roofline(machine.bandwidth_bytes_per_s, **efficiencies),
    )


def points(steps: pd.DataFrame) -> pd.DataFrame:
    """A row for each point: median, least and largest of its repetitions, and whether it is fitted.

    Of the points of a stage, in order of batch and tokens, every other one is fitted, alternating from batch
    to batch as on a chessboard.
    """
    keys = ["format", "stage", "batch", "tokens"]
    table = steps.groupby(keys, sort=True)["seconds"].agg(["median", "min", "max"]).reset_index()
    place = table.groupby(["format", "stage", "batch"]).cumcount()
    row = (
        table.groupby(["format", "stage"])["batch"]
        .transform(lambda batch: batch.rank(method="dense"))
        .astype(int)
    )
    return table.assign(fitted=(place + row) % 2 == 1)


def fit_formats(machine: Machine, steps: pd.DataFrame) -> tuple[dict[str, dict[str, float]], pd.DataFrame]:
    """Fit every format.

    Returns
    -------
    efficiencies, predictions
        Fields of the roofline by format; and the points with columns ``ideal`` and ``calibrated``, in
        seconds.
    """
    found, parts = {}, []
    for format, rows in points(steps).groupby("format", sort=True):
        system = node_of(machine, str(format), Slots(1, 1, 1), {})
        times = [_measured(system, row) for row in rows.to_dict("records")]
        fitted = [time for time, chosen in zip(times, rows["fitted"], strict=True) if chosen]
        found[str(format)] = fit(fitted, FREE)
        parts.append(rows.assign(ideal=predict(times), calibrated=predict(times, found[str(format)])))
    return found, pd.concat(parts, ignore_index=True)


def _measured(system: System, row: Mapping[str, Any]) -> MeasuredTime:
    """A point as the calibration has it; a step at a context is the second token after such a prompt."""
    prefill = row["stage"] == "prefill"
    tokens = int(row["tokens"])
    return MeasuredTime(
        system=system,
        quantity=QUANTITY[str(row["stage"])],
        batch=int(row["batch"]),
        prompt_tokens=tokens,
        output_tokens=1 if prefill else 2,
        value=float(row["median"]),
    )
