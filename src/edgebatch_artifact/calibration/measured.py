"""The rows of a source of measurements: one for each batch and quantity, repetitions put together."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from edgebatch.calibration.measurement import QUANTITIES
from edgebatch_artifact.settings.measured.calibration import Rows

BATCH = ("model", "edge_node", "devices", "batch", "prompt_tokens", "output_tokens")
"""Columns that say what was measured on what."""


def measured_rows(table: pd.DataFrame, leave_out: Iterable[Rows]) -> pd.DataFrame:
    """Columns `BATCH`, ``quantity`` and ``measured``, the median of the repetitions.

    Parameters
    ----------
    table
        Columns `BATCH`, and one or more of `QUANTITIES`.
    """
    for rows in leave_out:
        table = table[~_chosen(table, rows)]
    quantities = [quantity for quantity in QUANTITIES if quantity in table]
    long = table.melt(list(BATCH), quantities, "quantity", "measured").dropna()
    # the first stage does not know how many tokens will follow
    long.loc[long["quantity"] == "prompt_s", "output_tokens"] = 1
    return long.groupby([*BATCH, "quantity"], sort=False)["measured"].median().reset_index()


def _chosen(table: pd.DataFrame, rows: Rows) -> pd.Series:
    """Which rows of a table are among `rows`."""
    among = pd.Series(True, table.index)
    for column in BATCH:
        values = getattr(rows, column)
        if values is not None:
            among &= table[column].isin(values)
    return among
