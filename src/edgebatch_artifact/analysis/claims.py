"""Claims decided on results: whether each holds, what was measured, and where it is otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from edgebatch.errors import InputError, one_of
from edgebatch.schema import describe
from edgebatch_artifact.analysis.claim_file import WHERE, Claim, Claims
from edgebatch_artifact.analysis.comparisons import Comparison, comparisons, shares
from edgebatch_artifact.analysis.decision import FAILS, HOLDS, IN_PART, Decision, percent
from edgebatch_artifact.analysis.engine_claims import batching_gains, meets
from edgebatch_artifact.analysis.samples import axes_of
from edgebatch_artifact.analysis.statistics import Estimate
from edgebatch_artifact.analysis.technique_claims import closer, codes
from edgebatch_artifact.calibration.errors import judgements
from edgebatch_artifact.settings.measured.calibration import JUDGED

Namer = Callable[[str, str, Any], str]
"""How to name the value of an axis of an experiment: ``name(experiment, axis, value)``."""


def decide_all(claims: Claims, samples: Mapping[str, pd.DataFrame], name: Namer) -> list[Decision]:
    """Decide every claim on the results of each experiment, and on the predictions of the calibration."""
    for claim in claims.claims:
        for experiment in claim.experiments:
            if experiment not in samples:
                raise InputError(f"{claim.id}.experiments", experiment, one_of(experiment, samples), WHERE)
    return [decide(claim, samples, claims.confidence, name) for claim in claims.claims]


def decide(claim: Claim, samples: Mapping[str, pd.DataFrame], confidence: float, name: Namer) -> Decision:
    """Decide one claim on the results of each experiment."""
    if claim.test == "survives":
        return _survives(claim, samples[claim.experiments[0]], confidence)
    if claim.test == "predicts":
        return _predicts(claim, samples[claim.experiments[0]])
    if claim.test == "meets":
        return meets(claim, samples[claim.experiments[0]], confidence)
    if claim.test == "gains":
        return batching_gains(claim, samples[claim.experiments[0]])
    if claim.test == "closer":
        return closer(claim, samples[claim.experiments[0]], confidence)
    if claim.test == "codes":
        return codes(claim, samples[claim.experiments[0]])
    test = "surpasses" if claim.test == "somewhere" else claim.test
    made = [
        (experiment, comparison)
        for experiment in claim.experiments
        for comparison in comparisons(claim, _restricted(claim, samples[experiment]), confidence, test)
    ]
    held = [pair for pair in made if pair[1].holds]
    listed = held if claim.test == "somewhere" else [pair for pair in made if not pair[1].holds]
    verdict = HOLDS if len(held) == len(made) else IN_PART if held else FAILS
    if claim.test == "somewhere":
        verdict = HOLDS if held else FAILS
    least = min((comparison.measured for _, comparison in made), key=lambda measured: measured.mean)
    most = max((comparison.measured for _, comparison in made), key=lambda measured: measured.mean)
    counted = f"{len(held)} of {len(made)} comparisons"
    return Decision(
        claim,
        EXPECTED[claim.test].format(at_least=f"{100 * (claim.at_least or 0):g} %"),
        f"{counted}; {MEASURED[claim.test]} from {_shown(claim.test, least)} to {_shown(claim.test, most)}",
        verdict,
        tuple(_where(experiment, comparison, name, claim.test) for experiment, comparison in listed),
    )


def _restricted(claim: Claim, samples: pd.DataFrame) -> pd.DataFrame:
    """The rows that the claim is about."""
    for key, value in (claim.where or {}).items():
        at = f"{claim.id}.where.{key}"
        if key not in samples:
            raise InputError(at, "an unknown key", one_of(key, axes_of(samples)), WHERE)
        if isinstance(value, (dict, list)):
            raise InputError(at, describe(value), "one swept value", WHERE)
        if value not in set(samples[key]):
            raise InputError(at, describe(value), one_of(value, map(str, set(samples[key]))), WHERE)
        samples = samples[samples[key] == value]
    return samples


EXPECTED = {
    "surpasses": "paired difference above 0 in every comparison",
    "equals": "equal in every epoch",
    "saves": "more than {at_least} of the nodes saved in every row",
    "reaches": "at least {at_least} in every epoch",
    "somewhere": "paired difference above 0 in some comparison",
    "survives": "each part holds in at least {at_least} of the draws",
    "predicts": "median error of at most {at_most} for each source, quantity and kind of rows",
}
MEASURED = {
    "surpasses": "difference (requests/s)",
    "equals": "difference (requests)",
    "saves": "nodes saved",
    "reaches": "mean share",
    "somewhere": "difference (requests/s)",
}


def _survives(claim: Claim, samples: pd.DataFrame, confidence: float) -> Decision:
    table = shares(claim, samples, confidence)
    needed = claim.at_least or 0.0
    held = [row.share >= needed for row in table.itertuples()]
    parts = tuple(
        f"{row.claim}: {percent(row.share)} [{percent(row.low)}, {percent(row.high)}]"
        for row in table.itertuples()
    )
    return Decision(
        claim,
        EXPECTED["survives"].format(at_least=percent(needed)),
        f"{sum(held)} of {len(held)} parts, in {int(table.draws.iloc[0])} draws",
        HOLDS if all(held) else IN_PART if any(held) else FAILS,
        parts,
    )


def _predicts(claim: Claim, predictions: pd.DataFrame) -> Decision:
    """Whether a cost model is close to what was measured, on rows that were not fitted."""
    made = [(j, getattr(j, claim.of)) for j in judgements(predictions) if j.judged in claim.over]
    bound = claim.at_most or 0.0
    beyond = [(j, errors) for j, errors in made if errors.median > bound]
    medians = [errors.median for _, errors in made]
    return Decision(
        claim,
        EXPECTED["predicts"].format(at_most=percent(bound)),
        f"{len(made) - len(beyond)} of {len(made)} kinds of rows; "
        f"median errors from {percent(min(medians))} to {percent(max(medians))}",
        FAILS if len(beyond) == len(made) else IN_PART if beyond else HOLDS,
        tuple(
            f"{j.source}, {j.quantity}, {JUDGED[j.judged]}: {percent(errors.median)} in {errors.rows} rows, "
            f"with its sign {percent(errors.signed)}"
            for j, errors in beyond
        ),
    )


def _shown(test: str, measured: Estimate) -> str:
    if test == "saves":
        # a saving next to 100 % is told by what is left
        left = 100 * (1 - measured.mean)
        return f"{100 * measured.mean:.3g} %" if left >= 0.05 else f"all but {left:.1e} %"
    return f"{measured.mean:.3g} ± {measured.half_width:.2g}"


def _where(experiment: str, comparison: Comparison, name: Namer, test: str) -> str:
    setting = ", ".join(name(experiment, axis, value) for axis, value in comparison.setting.items())
    against = name(experiment, "scheduler", comparison.against)
    return f"{experiment}: {setting or 'nominal'}; against {against}: {_shown(test, comparison.measured)}"
