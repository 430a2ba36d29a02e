"""paper/values.tex: every number of the paper's prose, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from edgebatch_artifact.analysis.decision import Decision
from edgebatch_artifact.analysis.samples import axes_of
from edgebatch_artifact.publish.table import escape, number, plain
from edgebatch_artifact.settings.experiments.experiment import Experiment

PREAMBLE = r"""% Generated; do not edit. \val{name} is a number of the results or of the configuration.
\newcommand{\val}[1]{\ifcsname val@#1\endcsname\csname val@#1\endcsname\else
  \PackageError{values}{No value is named #1}{See paper/values.tex}\fi}
\newcommand{\defval}[2]{\expandafter\def\csname val@#1\endcsname{#2}}
"""


def values_file(values: dict[str, str]) -> str:
    """The file that defines all values."""
    lines = [f"\\defval{{{name}}}{{{escape(value)}}}" for name, value in sorted(values.items())]
    return PREAMBLE + "\n".join(lines) + "\n"


def number_values(experiment: Experiment, numbers: pd.DataFrame) -> dict[str, str]:
    """The mean of each number of a figure: experiment/axis values/column."""
    if experiment.figure.draw == "claims":
        return {
            f"{experiment.name}/{i}": f"{100 * share:.3g} %" for i, share in enumerate(numbers["share"], 1)
        }
    axes = [axis for axis in numbers if axis not in ("column", "mean", "half_width", "seeds", "cut_off")]
    result = {}
    for row in numbers.to_dict("records"):
        place = "/".join(plain(row[axis]) for axis in axes)
        result[f"{experiment.name}/{place}/{row['column']}"] = number(row["mean"])
    return result


def gain_values(experiment: Experiment, samples: pd.DataFrame, ours: str = "dftsp") -> dict[str, str]:
    """The least and the largest ratio of our mean throughput to each other scheduler's."""
    if "scheduler" not in samples or ours not in set(samples["scheduler"]):
        return {}
    means = samples.groupby(axes_of(samples), sort=False)["throughput_per_s"].mean().unstack("scheduler")
    result = {}
    for other in means.columns.drop(ours):
        ratio = (means[ours] / means[other]).where(means[other] > 0).dropna()
        if len(ratio):
            result[f"{experiment.name}/gain/{other}/least"] = number(float(ratio.min()))
            result[f"{experiment.name}/gain/{other}/most"] = number(float(ratio.max()))
    return result


def width_values(experiment: Experiment, numbers: pd.DataFrame) -> dict[str, str]:
    """The widest interval of DFTSP's throughput where it serves anything, relative to its mean."""
    if "scheduler" not in numbers or "mean" not in numbers:
        return {}
    rows = numbers[(numbers["scheduler"] == "dftsp") & (numbers["column"] == "throughput_per_s")]
    rows = rows[rows["mean"] > 0]
    widest = (rows["half_width"] / rows["mean"]).max()
    return {f"{experiment.name}/widest": f"{100 * widest:.2g} %"} if len(rows) else {}


def claim_values(decisions: Sequence[Decision]) -> dict[str, str]:
    """Verdict and measure of each claim."""
    return {
        f"claim/{d.claim.id}/{what}": value
        for d in decisions
        for what, value in (("verdict", d.verdict), ("measured", d.measured))
    }


def configuration_values(data: Mapping[str, Any], prefix: str = "conf/") -> dict[str, str]:
    """Every value of the nominal configuration: conf/dotted.key."""
    values: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            values |= configuration_values(value, f"{prefix}{key}.")
        elif value is not None:
            values[f"{prefix}{key}"] = plain(value)
    return values
