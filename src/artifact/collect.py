"""From runs to what is drawn: the samples of an experiment, and the points of its figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from artifact.claims import read_claims, shares
from artifact.samples import axes_of, settings_of
from artifact.statistics import estimate


def points_of_figure(
    experiment: str, figure: dict[str, Any], samples: pd.DataFrame, conf: Path
) -> pd.DataFrame:
    """What the figure of an experiment shows, as a table.

    Returns
    -------
    pandas.DataFrame
        A row for each setting and column that is drawn: its axes, ``column``, ``mean`` and the
        ``half_width`` of its confidence interval. For a figure of claims a row for each claim.
    """
    decided = read_claims(conf)
    if figure["draw"] == "claims":
        return pd.concat(
            shares(claim, samples, decided.confidence)
            for claim in decided.claims
            if claim.test == "survives" and experiment in claim.experiments
        )
    rows = []
    for setting, values in settings_of(samples):
        for column in figure["y"]["columns"]:
            found = estimate(values[column], decided.confidence)
            seeds = len(values)
            rows.append(
                {
                    **setting,
                    "column": column,
                    "mean": found.mean,
                    "half_width": found.half_width,
                    "seeds": seeds,
                }
            )
    table = pd.DataFrame(rows)
    return table.sort_values([*axes_of(samples), "column"], kind="stable") if rows else table
