"""What the paper says: the entries of conf/claims.yaml."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from edgebatch.errors import InputError, one_of
from edgebatch.metrics import METRICS
from edgebatch.schema import Checked, choice, read, real
from edgebatch_artifact.settings.measured.calibration import (
    ACCURACY_AGAINST_BITS,
    CALIBRATION,
    JUDGED,
    MODELS,
    TECHNIQUE_SEQUENCES,
)
from edgebatch_artifact.settings.measured.engine import ENGINE_BATCHES, ENGINE_FIT

WHERE = "conf/claims.yaml"

COMPARISONS = ("surpasses", "equals", "saves", "reaches")
"""Tests that compare two schedulers at one setting; `comparisons` has the function of each."""


MEASURED = {
    "predicts": CALIBRATION,
    "meets": ENGINE_BATCHES,
    "gains": ENGINE_FIT,
    "closer": TECHNIQUE_SEQUENCES,
    "codes": ACCURACY_AGAINST_BITS,
}
"""Tests of what was measured, and the table that each is made on."""


class Part(Checked):
    """One comparison of a scheduler with others, on one column of the results."""

    says: str
    test: str
    column: str
    of: str
    over: tuple[str, ...]
    at_least: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_comparison(self)


class Claim(Checked):
    """A claim, where it is tested, and what of it is known.

    Attributes
    ----------
    of, over
        Schedulers that are compared; for the test ``predicts`` the cost model, and what of the measurements
        was held out; for ``meets`` those whose batches count; for ``closer`` and ``codes`` runs of
        conf/compression/.
    at_least, at_most
        Bounds: the share that is saved or reached, in which a part survives, or that is in time; the factor
        that is gained; the error of a prediction; the factor by which coding makes bytes fewer.
    where
        Values of swept keys to which the comparisons are restricted.
    """

    id: str
    says: str
    test: str
    certainty: str = choice("abstract", "known", "recalled", "chosen")
    experiments: tuple[str, ...]
    column: str = ""
    of: str = ""
    over: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None
    where: dict[str, Any] | None = None
    parts: tuple[Part, ...] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.experiments:
            raise InputError("experiments", "an empty list", "the experiments that test the claim")
        for test, table in MEASURED.items():
            if (self.test == test) != (table in self.experiments):
                expected = f"{table} for the test {test}, and for no other"
                raise InputError("experiments", ", ".join(self.experiments), expected)
        if self.test == "predicts":
            _check_prediction(self)
        elif self.test == "closer":
            if not (self.of and self.over):
                raise InputError("", "no comparison", "of and over: the runs that are compared")
        elif self.test in MEASURED:
            if self.at_least is None:
                raise InputError("at_least", "nothing", "the share or the factor at least")
        elif self.test != "survives":
            _check_comparison(self)
        elif not self.parts:
            raise InputError("parts", "nothing", "the comparisons that are to survive")
        elif self.at_least is None:
            raise InputError("at_least", "nothing", "the share of draws in which each part holds")


def _check_prediction(claim: Claim) -> None:
    """Refuse a prediction by no cost model, of nothing, or without a bound."""
    if claim.of not in MODELS:
        raise InputError("of", repr(claim.of), one_of(claim.of, MODELS))
    if not claim.over:
        raise InputError("over", "an empty list", one_of(None, JUDGED))
    for index, name in enumerate(claim.over):
        if name not in JUDGED:
            raise InputError(f"over[{index}]", repr(name), one_of(name, JUDGED))
    if claim.at_most is None:
        raise InputError("at_most", "nothing", "the median error at most")


def _check_comparison(claim: Part | Claim) -> None:
    """Refuse a comparison of nothing, by no test, on no column, or with a bound that is missing."""
    more = [] if isinstance(claim, Part) else ["somewhere", "survives", *MEASURED]
    tests = [*COMPARISONS, *more]
    if claim.test not in tests:
        raise InputError("test", repr(claim.test), one_of(claim.test, tests))
    if not (claim.column and claim.of and claim.over):
        raise InputError("", "no comparison", "column, of and over: what is compared")
    if claim.column not in METRICS:
        raise InputError("column", repr(claim.column), one_of(claim.column, METRICS))
    if claim.test in ("saves", "reaches") and claim.at_least is None:
        raise InputError("at_least", "nothing", f"the share that it {claim.test} at least")


class Claims(Checked):
    """conf/claims.yaml."""

    confidence: float = real(above=0, at_most=0.9999)
    claims: tuple[Claim, ...]


def parse_claims(content: Mapping[str, Any], schedulers: Collection[str]) -> Claims:
    """The claims in the content of the file; `schedulers` are the names that they may compare.

    Raises an `InputError` for a key, a test, a scheduler or a value that does not exist.
    """
    try:
        claims = read(Claims, content)
    except InputError as error:
        raise error.at(WHERE) from None
    ids = [claim.id for claim in claims.claims]
    for index, claim in enumerate(claims.claims):
        at = f"claims[{index}]"
        if claim.id in ids[:index]:
            raise InputError(f"{at}.id", repr(claim.id), "an id that no other claim has", WHERE)
        if claim.test in MEASURED:
            for number, name in enumerate(claim.over if claim.test == "meets" else ()):
                if name not in schedulers:
                    raise InputError(f"{at}.over[{number}]", repr(name), one_of(name, schedulers), WHERE)
            continue
        parts = {at: claim} if not claim.parts else {f"{at}.parts[{i}]": p for i, p in enumerate(claim.parts)}
        for place, part in parts.items():
            named = {"of": part.of} | {f"over[{i}]": name for i, name in enumerate(part.over)}
            for key, name in named.items():
                if name not in schedulers:
                    raise InputError(f"{place}.{key}", repr(name), one_of(name, schedulers), WHERE)
    return claims
