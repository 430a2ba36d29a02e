"""From samples to what is drawn: the numbers of an experiment's figure."""

from __future__ import annotations

import pandas as pd

from edgebatch.errors import InputError
from edgebatch_artifact.analysis.claim_file import Claims
from edgebatch_artifact.analysis.comparisons import shares
from edgebatch_artifact.analysis.gap import with_gap
from edgebatch_artifact.analysis.samples import axes_of, settings_of
from edgebatch_artifact.analysis.statistics import estimate
from edgebatch_artifact.settings.experiments.experiment import Experiment


def figure_numbers(experiment: Experiment, samples: pd.DataFrame, claims: Claims) -> pd.DataFrame:
    """What the figure of an experiment shows, as a table.

    It has a row for each setting and column that is drawn: the axes, ``column``, ``mean`` and the
    ``half_width`` of its confidence interval, the number of ``seeds``, and the share of searches that were
    ``cut_off``. A figure of claims has a row for each claim.
    """
    figure = experiment.figure
    if figure.draw == "claims":
        drawn = [c for c in claims.claims if c.test == "survives" and experiment.name in c.experiments]
        if not drawn:
            where = f"conf/experiment/{experiment.name}.yaml"
            expected = "lines or bars, as no claim of conf/claims.yaml survives by it"
            raise InputError("figure.draw", "claims", expected, where)
        return pd.concat(shares(claim, samples, claims.confidence) for claim in drawn)
    if figure.y.relative_to:
        samples = with_gap(samples, figure.y.relative_to)
    rows = []
    for setting, values in settings_of(samples):
        for column in figure.y.columns:
            mean = estimate(values[column], claims.confidence)
            measured = {"mean": mean.mean, "half_width": mean.half_width, "seeds": len(values)}
            rows.append({**setting, "column": column, **measured, "cut_off": values["cut_off"].mean()})
    table = pd.DataFrame(rows)
    return table.sort_values([*axes_of(samples), "column"], kind="stable") if rows else table
