"""The tables of the calibration, and its values in the prose: what was fitted, and how far off it is."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from edgebatch.calibration.errors import Errors
from edgebatch_artifact.calibration.calibrate import Calibration
from edgebatch_artifact.calibration.errors import errors_on, judgements
from edgebatch_artifact.publish.measured.engine_log_table import engine_log_table, engine_log_values
from edgebatch_artifact.publish.measured.engine_tables import engine_tables, engine_values
from edgebatch_artifact.publish.measured.technique_figure import technique_tables, technique_values
from edgebatch_artifact.publish.table import Table, number
from edgebatch_artifact.settings.measured.calibration import JUDGED, MODELS

QUANTITIES = {"prompt_s": "first stage", "token_s": "later step", "tokens_per_s": "tokens per second"}

FIELDS = {
    "prefill_flops_share": "FLOPS, first",
    "decode_flops_share": "FLOPS, later",
    "attention_share": "Attention",
    "bandwidth_share": "Bandwidth",
    "pooled_share": "Pooling",
    "layer_s": "Layer (ms)",
}
"""Columns of the fits that a table shows, with their headings."""


def calibration_tables(calibration: Calibration) -> list[Table]:
    """The tables of `CALIBRATION_TABLES`."""
    labels = source_labels(calibration)
    errors, fits = _errors_table(calibration.predictions, labels), _fits_table(calibration.fits)
    engine, techniques = engine_tables(calibration.engine), technique_tables(calibration.techniques)
    return [errors, fits, engine_log_table(calibration.logs), *engine, *techniques]


def source_labels(calibration: Calibration) -> dict[str, str]:
    """Label of each source, in order."""
    return dict(zip(calibration.fits["source"], calibration.fits["label"], strict=True))


def _errors_table(predictions: pd.DataFrame, labels: Mapping[str, str]) -> Table:
    rows = tuple(
        (
            labels[j.source],
            QUANTITIES[j.quantity],
            str(j.fitted),
            JUDGED[j.judged],
            str(j.ideal.rows),
            *_cells(j.ideal),
            *_cells(j.calibrated),
        )
        for j in judgements(predictions)
    )
    head = ("Source", "Predicted", "Fitted", "Judged on", "Rows")
    numbers = tuple(f"{model} {what}" for model in ("Ideal:", "Cal.:") for what in ("median", "p90", "sign"))
    caption = (
        "Errors of the ideal and of the calibrated roofline on rows that were not fitted, in per cent: median"
        " and 90th percentile of the absolute error, and median error with its sign, which is below 0 where a"
        " time is too short or a rate too low"
    )
    return Table(caption, "calibration", (*head, *numbers), rows, "llrlrrrrrrr", wide=True)


def _fits_table(fits: pd.DataFrame) -> Table:
    rows = []
    for fit in fits.to_dict("records"):
        models = fit["models"].split(", ")
        shown = models[0] if len(models) == 1 else f"{len(models)} models"
        values = (_value(field, fit[field]) for field in FIELDS)
        node = (fit["device"], str(fit["devices"]))
        rows.append((fit["label"], *node, shown, str(fit["rows"]), *values))
    head = ("Source", "Device", "Pooled", "Model", "Rows", *FIELDS.values())
    caption = "Fitted shares of the peaks and constant time of a layer; what has none is ideal"
    return Table(caption, "calibration_fits", head, tuple(rows), "llrlr" + "r" * len(FIELDS), wide=True)


def calibration_values(calibration: Calibration) -> dict[str, str]:
    """Values of the prose: errors of each source, also by what was held out and by fit; and fitted fields."""
    values: dict[str, str] = {}
    predictions, fits = calibration.predictions, calibration.fits
    for j in judgements(predictions):
        for model in MODELS:
            values |= _values(f"{j.source}/{j.quantity}/{j.judged}/{model}", getattr(j, model))
    for level in ("source", "fit"):
        for row in predictions[[level, "quantity"]].drop_duplicates().to_dict("records"):
            for model in MODELS:
                errors = errors_on(predictions, model, **row)
                values |= _values(f"{row[level]}/{row['quantity']}/{model}", errors)
    for fit in fits.to_dict("records"):
        values[f"{fit['fit']}/models"] = fit["models"]
        values |= {f"{fit['fit']}/{field}": _value(field, fit[field]) for field in FIELDS}
    others = engine_log_values(calibration.logs) | engine_values(calibration.engine)
    others |= technique_values(calibration.techniques)
    return {f"calibration/{name}": value for name, value in values.items()} | others


def _values(place: str, errors: Errors) -> dict[str, str]:
    return {
        f"{place}/rows": str(errors.rows),
        **{f"{place}/{name}": f"{_percent(getattr(errors, name))} %" for name in ("median", "p90", "signed")},
    }


def _cells(errors: Errors) -> tuple[str, str, str]:
    return _percent(errors.median), _percent(errors.p90), _percent(errors.signed)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}" if abs(share) < 0.0995 else f"{100 * share:.0f}"


def _value(field: str, value: float) -> str:
    if pd.isna(value):
        return "–"
    return number(1e3 * value if field.endswith("_s") else value)
