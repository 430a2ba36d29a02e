"""The rows of a source of measurements: one for each batch and quantity, repetitions put together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from edgebatch.calibration.measurement import QUANTITIES
from edgebatch.errors import InputError
from edgebatch.schema import read
from edgebatch_artifact.analysis.operator_steps import step_times
from edgebatch_artifact.analysis.samples import read_csv
from edgebatch_artifact.settings.calibration_file import Operators, Rows, Source
from edgebatch_artifact.settings.conf_folder import read_file
from edgebatch_artifact.settings.configuration import ModelConfig

BATCH = ("model", "edge_node", "devices", "batch", "prompt_tokens", "output_tokens")
"""Columns that say what was measured on what."""

TABLES = ("dense", "attention", "per_sequence")
"""Files of the operators of a node."""


def measured_rows(source: Source, conf: Path, folder: Path) -> pd.DataFrame:
    """Columns `BATCH`, ``quantity`` and ``measured``, the median of the repetitions.

    Parameters
    ----------
    folder
        Folder of the tables, measurements/.
    """
    if source.operators:
        nodes = dict.fromkeys(entry.edge_node for entry in source.fits.values())
        table = _operators(source.operators, nodes, conf, folder)
    else:
        table = _steps(folder / str(source.steps))
    for rows in source.leave_out:
        table = table[~chosen(table, rows)]
    quantities = [quantity for quantity in QUANTITIES if quantity in table]
    long = table.melt(list(BATCH), quantities, "quantity", "measured").dropna()
    # the first stage does not know how many tokens will follow
    long.loc[long["quantity"] == "prompt_s", "output_tokens"] = 1
    return long.groupby([*BATCH, "quantity"], sort=False)["measured"].median().reset_index()


def chosen(table: pd.DataFrame, rows: Rows) -> pd.Series:
    """Which rows of a table are among `rows`."""
    among = pd.Series(True, table.index)
    for column in BATCH:
        values = getattr(rows, column)
        if values is not None:
            among &= table[column].isin(values)
    return among


def _steps(path: Path) -> pd.DataFrame:
    table = read_csv(path)
    for column in BATCH:
        if column not in table:
            raise InputError("line 1", f"no column {column}", f"{', '.join(BATCH)} and a quantity", str(path))
    if not set(QUANTITIES) & set(table):
        raise InputError("line 1", "no quantity", f"one of {', '.join(QUANTITIES)}", str(path))
    return table


def _operators(operators: Operators, nodes: Iterable[str], conf: Path, folder: Path) -> pd.DataFrame:
    """Steps on each of `nodes`."""
    layers = read(ModelConfig, read_file(conf, "model", operators.model)).layers
    parts = []
    for node in nodes:
        tables = {kind: read_csv(folder / operators.folder / node / f"{kind}.csv") for kind in TABLES}
        steps = step_times(**tables, layers=layers)
        parts.append(steps.assign(model=operators.model, edge_node=node, devices=1))
    return pd.concat(parts, ignore_index=True)
