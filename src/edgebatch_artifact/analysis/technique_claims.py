"""Claims that are decided on the measured techniques."""

from __future__ import annotations

import pandas as pd

from edgebatch.errors import InputError, one_of
from edgebatch_artifact.analysis.claim_file import WHERE, Claim
from edgebatch_artifact.analysis.decision import FAILS, HOLDS, IN_PART, Decision
from edgebatch_artifact.analysis.statistics import Estimate, estimate
from edgebatch_artifact.compression.measurement import LAST


def closer(claim: Claim, texts: pd.DataFrame, confidence: float) -> Decision:
    """Whether a run is closer to the 16-bit model than each of others, sequence by sequence.

    Divergences are paired by sequence, so that a hard sequence counts against none.
    """
    _check_runs(claim, texts)
    divergence = texts[texts["exit"] == LAST].pivot(index="sequence", columns="run", values="divergence")
    names = dict(zip(texts["run"], texts["label"], strict=True))
    made = {other: estimate(divergence[other] - divergence[claim.of], confidence) for other in claim.over}
    held = {other: found.low > 0 for other, found in made.items()}
    said = {other: f"{names[other]}: {_shown(found)}" for other, found in made.items()}
    return Decision(
        claim,
        f"more divergence than {names[claim.of]} in paired difference above 0, for each of the others",
        f"{sum(held.values())} of {len(held)} comparisons; differences (nats per token) "
        + "; ".join(said.values()),
        HOLDS if all(held.values()) else IN_PART if any(held.values()) else FAILS,
        tuple(said[other] for other, holds in held.items() if not holds),
    )


def codes(claim: Claim, points: pd.DataFrame) -> Decision:
    """Whether coding saves a run a factor of its bytes within bounds, and more than it saves others.

    The better of the coders counts.
    """
    _check_runs(claim, points)
    last = points[points["exit"] == LAST].set_index("run")
    best = last["packed_bytes"] / last[["zstd_bytes", "huffman_bytes"]].min(axis=1)
    least, most, ours = claim.at_least or 0.0, claim.at_most or float("inf"), float(best[claim.of])
    checks = {f"within {least:g} to {most:g}": least <= ours <= most}
    checks |= {
        f"above {best[other]:.3g} of {last.at[other, 'label']}": ours > best[other] for other in claim.over
    }
    return Decision(
        claim,
        "bytes over coded bytes, by the better coder, " + " and ".join(checks),
        f"{last.at[claim.of, 'label']}: {ours:.3g}",
        HOLDS if all(checks.values()) else IN_PART if any(checks.values()) else FAILS,
        tuple(f"{ours:.3g} is not {what}" for what, holds in checks.items() if not holds),
    )


def _check_runs(claim: Claim, table: pd.DataFrame) -> None:
    """Refuse a run that was not measured."""
    named = {"of": claim.of} | {f"over[{place}]": name for place, name in enumerate(claim.over)}
    known = sorted(set(table["run"]))
    for key, name in named.items():
        if name not in known:
            raise InputError(f"{claim.id}.{key}", repr(name), one_of(name, known), WHERE)


def _shown(found: Estimate) -> str:
    return f"{found.mean:.3g} ± {found.half_width:.2g}"
