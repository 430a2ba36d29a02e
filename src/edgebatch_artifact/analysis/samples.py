"""Results of one experiment side by side: a row for each setting and seed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from edgebatch.metrics import METRICS
from edgebatch_artifact.settings.experiments.figure import RELATIVE


def samples_of(results: Iterable[tuple[Mapping[str, Any], Sequence[Mapping[str, float]]]]) -> pd.DataFrame:
    """A table of results, each given as the values of its axes and the metrics of each seed.

    It has a column for each axis, ``seed``, and each of `METRICS`.
    """
    rows = [{**_flat(axes), **replicate} for axes, replicates in results for replicate in replicates]
    return pd.DataFrame(rows)


def _flat(axes: Mapping[str, Any]) -> dict[str, Any]:
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
