"""Claims that are decided on the measured engine."""

from __future__ import annotations

import pandas as pd

from edgebatch_artifact.analysis.claim_file import Claim
from edgebatch_artifact.analysis.decision import FAILS, HOLDS, IN_PART, Decision, percent
from edgebatch_artifact.analysis.statistics import proportion
from edgebatch_artifact.engine.outcome import gains


def meets(claim: Claim, batches: pd.DataFrame, confidence: float) -> Decision:
    """Whether batches that the model calls feasible meet their deadlines on the engine, by margin.

    It holds if the share is reached without a margin, in part if it is with one of those that were tried.
    """
    ran = batches[(batches["served"] > 0) & batches["scheduler"].isin(claim.over)]
    needed, said, held = claim.at_least or 0.0, [], []
    for margin, rows in ran.groupby("margin"):
        met = int((rows["measured_s"] <= rows["deadline_s"]).sum())
        low, high = proportion(met, len(rows), confidence)
        held.append(met / len(rows) >= needed)
        words = f"{met} of {len(rows)} batches, [{percent(low)}, {percent(high)}]"
        said.append(f"margin {margin:g}: {words}")
    return Decision(
        claim,
        f"at least {percent(needed)} of the batches in time without a margin",
        "; ".join(said),
        HOLDS if held[0] else IN_PART if any(held) else FAILS,
        tuple(words for words, holds in zip(said, held, strict=True) if not holds),
    )


def batching_gains(claim: Claim, points: pd.DataFrame) -> Decision:
    """Whether the largest batch makes more tokens per second than one request alone, in every format."""
    factors = {format: gains(points, str(format)) for format in points["format"].unique()}
    needed = claim.at_least or 0.0
    held = {format: bool((of > needed).all()) for format, of in factors.items()}
    least, most = min(of.min() for of in factors.values()), max(of.max() for of in factors.values())
    return Decision(
        claim,
        f"tokens/s of the largest batch over those of one request above {needed:g} in every format",
        f"{sum(held.values())} of {len(held)} formats; factors from {least:.3g} to {most:.3g}",
        HOLDS if all(held.values()) else IN_PART if any(held.values()) else FAILS,
        tuple(
            f"{format}: factors from {factors[format].min():.3g} to {factors[format].max():.3g}"
            for format, holds in held.items()
            if not holds
        ),
    )
