"""Claims and results that are made up, for tests of what is decided."""

import pandas as pd

from edgebatch.metrics import METRICS
from edgebatch_artifact.analysis.claim_file import Claim
from edgebatch_artifact.analysis.claims import decide


def make_claim(test, column="throughput_per_s", **more) -> Claim:
    """The claim C on ours against theirs in experiment e."""
    defaults = {"experiments": ("e",), "of": "ours", "over": ("theirs",), "certainty": "chosen", "id": "C"}
    return Claim(says="a claim", test=test, column=column, **(defaults | more))


def make_samples(column, *points, axis="load"):
    """Samples of experiment e: for each point the values of both schedulers, one a seed."""
    rows = []
    for place, (ours, theirs) in enumerate(points):
        for scheduler, values in (("ours", ours), ("theirs", theirs)):
            for seed, value in enumerate(values):
                row = {axis: place, "scheduler": scheduler, "seed": seed, **dict.fromkeys(METRICS, 0.0)}
                rows.append(row | {column: value})
    return {"e": pd.DataFrame(rows)}


def decide_claim(claim, samples):
    """The decision with 95 % confidence."""
    return decide(claim, samples, 0.95, lambda experiment, axis, value: f"{axis} {value}")
