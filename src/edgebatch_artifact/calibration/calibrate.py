"""The roofline fitted to one part of published measurements, and judged on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from edgebatch.calibration.fitting import BOUNDS, fit
from edgebatch.calibration.measurement import Measurement, predict
from edgebatch.errors import InputError
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch_artifact.calibration.engine_logs import EngineLog, replay_logs
from edgebatch_artifact.calibration.measured import measured_rows
from edgebatch_artifact.compression.measurement import Techniques
from edgebatch_artifact.compression.outcome import Published, technique_tables
from edgebatch_artifact.engine.measurement import Measurement as EngineMeasurement
from edgebatch_artifact.engine.outcome import Known, engine_tables
from edgebatch_artifact.settings.configuration import EdgeNodeConfig, ModelConfig
from edgebatch_artifact.settings.measured.calibration import (
    CALIBRATION_TABLES,
    FITTED,
    FitEntry,
    Source,
)


@dataclass(frozen=True)
class Calibration:
    """All fits, and what each says of every row that it can be judged on.

    Attributes
    ----------
    fits
        A row for each fit: its source with its label, names of ``models`` and ``device``, how many ``rows``
        were fitted, and the fields of the roofline, empty where they are ideal.
    predictions
        A row for each fit and measurement: ``measured``, ``ideal``, ``calibrated``, and in ``judged`` one of
        the keys of `JUDGED`, or `FITTED`.
    logs
        Logs of an engine, as `edgebatch_artifact.calibration.engine_logs` replays them.
    engine
        What a measurement of the engine says, by the names of `ENGINE_TABLES`.
    techniques
        What a measurement of techniques says, by the names of `TECHNIQUE_TABLES`.
    """

    fits: pd.DataFrame
    predictions: pd.DataFrame
    logs: pd.DataFrame
    engine: Mapping[str, pd.DataFrame]
    techniques: Mapping[str, pd.DataFrame]

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables, by the names of `CALIBRATION_TABLES`."""
        own = dict(zip(CALIBRATION_TABLES, (self.predictions, self.fits, self.logs), strict=False))
        return {**own, **self.engine, **self.techniques}


@dataclass(frozen=True)
class Measured:
    """What is calibrated on what.

    Attributes
    ----------
    sources
        The files of conf/calibration/.
    tables
        The table of each source: columns `BATCH`, and one or more of the quantities that are measured.
    models, nodes
        Every model and edge node that a table names.
    logs
        Logs of an engine, each with its table and its node.
    engine, known
        The measurement of the engine, and what conf/ says of what it measures.
    techniques, published
        The measurement of techniques, and the files of conf/quantization/ with values of others.
    """

    sources: Mapping[str, Source]
    tables: Mapping[str, pd.DataFrame]
    models: Mapping[str, ModelConfig]
    nodes: Mapping[str, EdgeNodeConfig]
    logs: Sequence[tuple[EngineLog, pd.DataFrame, System]]
    engine: EngineMeasurement
    known: Known
    techniques: Techniques
    published: Mapping[str, Published]

    def system(self, weight_bits: float, model: str, edge_node: str, devices: int) -> System:
        """A model on pooled devices at their peaks."""
        node = self.nodes[edge_node]
        return System(
            slots=Slots(1.0, 1.0, 1.0),  # of no account: epochs have no part in a batch's time
            llm=self.models[model],
            quantization=Quantization(weight_bits, 16, 1.0, 1.0),
            edge_node=EdgeNode(devices * node.device_flops, devices * node.memory_bytes, devices),
            cost=Roofline(devices * node.device_bandwidth_bytes_per_s),
        )


def calibrate(measured: Measured) -> Calibration:
    """Fit and judge every source."""
    fits, predictions = [], []
    for name, source in measured.sources.items():
        rows = measured_rows(measured.tables[name], source.leave_out)
        rows["measurement"] = _measurements(rows, source.weight_bits, measured)
        found: dict[str, dict[str, float]] = {}
        for label, entry in source.fits.items():
            judged = _judged(rows, source, entry)
            fitted = judged[judged["judged"] == FITTED]
            given = found[entry.given_by] if entry.given_by else {}
            try:
                found[label] = fit(list(fitted["measurement"]), entry.free, given)
            except InputError as error:
                raise error.at(f"conf/calibration/{name}.yaml", f"fits.{label}") from None
            models = ", ".join(measured.models[model].label for model in entry.models)
            about = {"source": name, "label": source.label, "fit": label, "models": models}
            about["device"] = measured.nodes[entry.edge_node].label
            fits.append({**about, **_fit_row(entry, len(fitted), found[label])})
            predictions.append(_predicted(judged, found[label]).assign(source=name, fit=label))
    table = pd.concat(predictions, ignore_index=True)
    first = ["source", "fit", "judged", "quantity"]
    return Calibration(
        pd.DataFrame(fits),
        table[[*first, *table.columns.drop(first)]],
        replay_logs(measured.logs),
        engine_tables(measured.engine, measured.known),
        technique_tables(measured.techniques, measured.published),
    )


def _judged(rows: pd.DataFrame, source: Source, entry: FitEntry) -> pd.DataFrame:
    """The rows that a fit can be judged on, with the column ``judged``."""
    same_model, same_node = rows["model"].isin(entry.models), rows["edge_node"] == entry.edge_node
    judged = pd.Series(FITTED, rows.index)
    for column, kind in (("output_tokens", "outputs"), ("prompt_tokens", "prompts"), ("batch", "batches")):
        values = getattr(source.fitted, column)
        if values is None:
            continue
        known = rows[column].isin(values)
        if column == "output_tokens":
            known |= rows["quantity"] == "prompt_s"
        judged[~known] = kind
    judged[~same_model], judged[~same_node] = "model", "device"
    comparable = (rows["devices"] == entry.devices) & (same_model | same_node)
    return rows.assign(judged=judged)[comparable]


def _predicted(judged: pd.DataFrame, efficiencies: Mapping[str, float]) -> pd.DataFrame:
    measurements = list(judged["measurement"])
    return judged.drop(columns="measurement").assign(
        ideal=predict(measurements), calibrated=predict(measurements, efficiencies)
    )


def _fit_row(entry: FitEntry, rows: int, efficiencies: Mapping[str, float]) -> dict[str, Any]:
    return {
        "edge_node": entry.edge_node,
        "devices": entry.devices,
        "rows": rows,
        **{field: efficiencies.get(field) for field in BOUNDS},
    }


def _measurements(rows: pd.DataFrame, weight_bits: float, measured: Measured) -> list[Measurement]:
    systems: dict[tuple[str, str, int], System] = {}
    measurements = []
    for row in rows.to_dict("records"):
        key = (row["model"], row["edge_node"], row["devices"])
        if key not in systems:
            systems[key] = measured.system(weight_bits, *key)
        measurements.append(
            Measurement(
                system=systems[key],
                quantity=row["quantity"],
                batch=row["batch"],
                prompt_tokens=row["prompt_tokens"],
                output_tokens=row["output_tokens"],
                value=row["measured"],
            )
        )
    return measurements
