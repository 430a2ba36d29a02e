"""Errors of the ideal and of the calibrated roofline on the rows that were held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from edgebatch.calibration.errors import Errors, errors_of
from edgebatch_artifact.settings.measured.calibration import FITTED, JUDGED, MODELS


@dataclass(frozen=True)
class Judgement:
    """What was held out, and how far both cost models are from it.

    Attributes
    ----------
    judged
        One of the keys of `JUDGED`.
    fitted
        How many rows of the same source and quantity were fitted.
    """

    source: str
    quantity: str
    judged: str
    fitted: int
    ideal: Errors
    calibrated: Errors


def judgements(predictions: pd.DataFrame) -> Iterator[Judgement]:
    """A judgement for each source, quantity and kind of held-out rows, in the order of the sources."""
    for (source, quantity), rows in predictions.groupby(["source", "quantity"], sort=False):
        for judged in JUDGED:
            held_out = rows[rows["judged"] == judged]
            if len(held_out):
                ideal, calibrated = (errors_of(held_out[model], held_out["measured"]) for model in MODELS)
                fitted = int((rows["judged"] == FITTED).sum())
                yield Judgement(str(source), str(quantity), judged, fitted, ideal, calibrated)


def errors_on(predictions: pd.DataFrame, model: str, **columns: str) -> Errors:
    """Errors of one of `MODELS` on the held-out rows of the fitted models and nodes that have the values."""
    own = predictions[~predictions["judged"].isin([FITTED, "model", "device"])]
    for column, value in columns.items():
        own = own[own[column] == value]
    return errors_of(own[model], own["measured"])
