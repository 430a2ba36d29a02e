"""From runs to what is drawn: the samples of an experiment, and the points of its figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from edgebatch.errors import InputError
from edgebatch_artifact.analysis.claims import read_claims, shares
from edgebatch_artifact.analysis.gap import relative
from edgebatch_artifact.analysis.samples import axes_of, settings_of
from edgebatch_artifact.analysis.statistics import estimate


def points_of_figure(
    experiment: str, figure: dict[str, Any], samples: pd.DataFrame, conf: Path
) -> pd.DataFrame:
    """What the figure of an experiment shows, as a table.

    Returns
    -------
    pandas.DataFrame
        A row for each setting and column that is drawn: its axes, ``column``, ``mean`` and the
        ``half_width`` of its confidence interval, the number of ``seeds``, and the share of
        searches that were ``cut_off``. For a figure of claims a row for each claim.
    """
    decided = read_claims(conf)
    if figure["draw"] == "claims":
        found = [c for c in decided.claims if c.test == "survives" and experiment in c.experiments]
        if not found:
            where = f"conf/experiment/{experiment}.yaml"
            raise InputError(
                "figure.draw",
                "claims",
                "lines or bars, as no claim of conf/claims.yaml survives by it",
                where,
            )
        return pd.concat(shares(claim, samples, decided.confidence) for claim in found)
    if figure["y"].get("relative_to"):
        samples = relative(samples, figure["y"]["relative_to"])
    rows = []
    for setting, values in settings_of(samples):
        for column in figure["y"]["columns"]:
            mean = estimate(values[column], decided.confidence)
            measured = {"mean": mean.mean, "half_width": mean.half_width, "seeds": len(values)}
            rows.append({**setting, "column": column, **measured, "cut_off": values["cut_off"].mean()})
    table = pd.DataFrame(rows)
    return table.sort_values([*axes_of(samples), "column"], kind="stable") if rows else table
