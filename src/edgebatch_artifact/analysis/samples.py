"""Results of one experiment side by side: a row for each setting and seed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from edgebatch.errors import InputError
from edgebatch_artifact.runs.result_file import read_run
from edgebatch_artifact.runs.simulate import METRICS
from edgebatch_artifact.settings.experiment_file import RELATIVE


def gather(points: list[dict[str, Any]]) -> pd.DataFrame:
    """Read the runs of an experiment's points; refuse one that is not what it says it is.

    Parameters
    ----------
    points
        For each point its ``run`` (a file) and its ``axes``.

    Returns
    -------
    pandas.DataFrame
        A column for each axis, ``seed``, and each of `METRICS`.
    """
    rows = []
    for point in points:
        run = read_run(Path(point["run"]))
        rows += [{**_flat(point["axes"]), **replicate} for replicate in run["replicates"]]
    return pd.DataFrame(rows)


def _flat(axes: dict[str, Any]) -> dict[str, Any]:
    return {key: json.dumps(v) if isinstance(v, (list, dict)) else v for key, v in axes.items()}


def axes_of(samples: pd.DataFrame) -> list[str]:
    """Names of the axis columns."""
    return [column for column in samples if column not in (*METRICS, *RELATIVE, "seed")]


def settings_of(
    samples: pd.DataFrame, but: Sequence[str] = ()
) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Split by the value of every axis except those of `but`, in the order of the rows."""
    axes = [axis for axis in axes_of(samples) if axis not in but]
    if not axes:
        yield {}, samples
        return
    for values, rows in samples.groupby(axes, sort=False):
        yield dict(zip(axes, values, strict=True)), rows


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table with six significant digits, so that no platform's last digit shows."""
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table that `write_csv` has written.

    Raises
    ------
    InputError
        If it is not there, or no table.
    """
    try:
        return pd.read_csv(path)
    except OSError as error:
        raise InputError("", (error.strerror or "no access").lower(), "a CSV file", str(path)) from None
    except ValueError as error:  # of pandas, and of UTF-8
        raise InputError("", str(error).splitlines()[0], "a CSV file", str(path)) from None
