"""The outcome of a claim."""

from __future__ import annotations

from dataclasses import dataclass

from edgebatch_artifact.analysis.claim_file import Claim

HOLDS, IN_PART, FAILS = "holds", "holds in part", "does not hold"


@dataclass(frozen=True)
class Decision:
    """A claim decided.

    Attributes
    ----------
    expected, measured
        What the test asks for, and what was measured, in words with intervals.
    exceptions
        In words, the settings at which it did not go as claimed; for the test ``somewhere`` those at which
        it did, and for ``survives`` each part.
    """

    claim: Claim
    expected: str
    measured: str
    verdict: str
    exceptions: tuple[str, ...]


def percent(share: float) -> str:
    """A share in per cent, with three digits."""
    return f"{100 * share:.3g} %"
