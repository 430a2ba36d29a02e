"""Batches against those of a reference scheduler, on the same candidates."""

from __future__ import annotations

import pandas as pd

from edgebatch_artifact.analysis.samples import axes_of


def with_gap(samples: pd.DataFrame, reference: str) -> pd.DataFrame:
    """The samples of all other schedulers, each paired with the reference by setting and seed.

    Returns
    -------
    pandas.DataFrame
        With two more columns: ``gap``, the part of the reference's batch that is missing, 0 where
        that is empty; and ``exact``, 1 where both batches are of one size, otherwise 0.
    """
    same = [*(axis for axis in axes_of(samples) if axis != "scheduler"), "seed"]
    theirs = samples.loc[samples["scheduler"] == reference, [*same, "batch_size"]]
    theirs = theirs.rename(columns={"batch_size": "reference"})
    others = samples[samples["scheduler"] != reference]
    paired = others.merge(theirs, on=same, how="left", validate="many_to_one")
    missing = paired["reference"] - paired["batch_size"]
    gap = (missing / paired["reference"]).where(paired["reference"] > 0, 0.0)
    return paired.assign(gap=gap, exact=(missing == 0).astype(float)).drop(columns="reference")
