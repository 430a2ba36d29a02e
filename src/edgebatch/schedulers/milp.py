"""Mixed-integer programming by HiGHS, through SciPy: an exact solver, independent of the tree searches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, lil_array

from edgebatch.errors import InputError, one_of
from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._scaled import PARTS, Answer, AtMost, Scaled, solve_models
from edgebatch.schedulers._segments import Segment

TAKES_WEIGHTS = True
DEADLINES = ("thresholds", "big_m")
NO_BATCH: NDArray[np.int64] = np.array([], dtype=np.int64)
ROUNDING = 1e-6
"""A bound of HiGHS is rounded up to a whole number if it is no farther below it."""

UNIT = PARTS / 2**10
"""Parts in one unit of HiGHS, a power of two so that scaling is exact. HiGHS has absolute tolerances of
1e-6 and lost optima among numbers of 2^36; of budgets of 2^10 units they are a relative 1e-9."""


def schedule(
    instance: Instance, *, deadlines: str = "thresholds", time_limit_s: float | None = None
) -> Schedule:
    """Return the feasible batch of most weight, for models without experts.

    HiGHS does not tell weights apart that differ by less than a millionth of the mean weight, unless all are
    whole numbers.

    Parameters
    ----------
    deadlines
        ``thresholds``: for each deadline, one program over the requests with no earlier deadline, unless
        its linear relaxation cannot beat the best batch so far. ``big_m``: one program, in which the
        binary variable of each request switches its deadline on.
    time_limit_s
        Most seconds; after that, the best batch so far and a proven upper bound. None for no limit.

    Returns
    -------
    Schedule
        Proven optimal, unless the time limit was reached or HiGHS failed on a program.

    Raises
    ------
    InputError
        For a model with experts, or a bad value of `deadlines` or `time_limit_s`.
    """
    if deadlines not in DEADLINES:
        raise InputError("deadlines", repr(deadlines), one_of(deadlines, DEADLINES))
    if deadlines == "big_m":
        return solve_models(instance, _with_big_m, time_limit_s)
    return solve_models(instance, _within_threshold, time_limit_s, by_deadline=True)


def _within_threshold(model: Scaled, best: float, cuts: list[AtMost], limit_s: float) -> Answer:
    unit, at_least = _weight_unit(model), model.above(best)
    relaxed = linprog(-model.weights / unit, model.loads / UNIT, model.budgets / UNIT, bounds=(0, 1))
    if relaxed.status == 0 and (-relaxed.fun + ROUNDING) * unit < at_least:
        return Answer(NO_BATCH, best)
    return _solve(model, None, best, cuts, limit_s)


def _weight_unit(model: Scaled) -> float:
    """Weight that is 1 to HiGHS, whose tolerances are absolute: a request weighs about 1."""
    return float(model.weights.mean()) if model.weights.size else 1.0


def _with_big_m(model: Scaled, best: float, cuts: list[AtMost], limit_s: float) -> Answer:
    """Row i: compute of the batch + (longest deadline - deadline i) x_i <= longest deadline."""
    return _solve(model, model.budgets[3] - model.deadlines, best, cuts, limit_s)


def _solve(
    model: Scaled, shortened: NDArray[np.int64] | None, best: float, cuts: list[AtMost], limit_s: float
) -> Answer:
    """Solve one program.

    Parameters
    ----------
    shortened
        What each request takes off the compute budget by its deadline, shape (requests,); None for nothing.
    """
    number, segments = model.requests.size, model.segments
    unit, at_least = _weight_unit(model), model.above(best)
    # variables: requests; whether each segment has a live request; time of each segment
    ones, more = np.ones(number), np.zeros(2 * len(segments))
    budgets = model.budgets / UNIT
    loads = np.hstack((model.loads / UNIT, np.zeros((4, more.size))))
    time = (
        np.concatenate((np.zeros(number + len(segments)), np.ones(len(segments)))) if segments else loads[3]
    )
    constraints = [
        LinearConstraint(csr_array(loads), ub=budgets),
        LinearConstraint(np.append(model.weights / unit, more), lb=at_least / unit),
        LinearConstraint(time, ub=budgets[3]),
    ]
    if shortened is not None:
        switched = np.tile(time, (number, 1))
        switched[:, :number] += np.diag(shortened / UNIT)
        constraints.append(LinearConstraint(csr_array(switched), ub=budgets[3]))
    if segments:
        constraints.append(LinearConstraint(_segment_rows(segments), ub=0.0))
    for cut in cuts:
        among = np.isin(np.arange(number), cut.places)
        constraints.append(LinearConstraint(np.append(among, more), ub=cut.most))
    objective, whole = np.append(-model.weights / unit, more), np.append(ones, more)
    bounds = Bounds(0, np.concatenate((ones, np.ones(len(segments)), np.full(len(segments), np.inf))))
    options = {"mip_rel_gap": 0.0} | ({"time_limit": limit_s} if np.isfinite(limit_s) else {})
    try:
        result = milp(objective, integrality=whole, bounds=bounds, constraints=constraints, options=options)
    except (ValueError, RuntimeError):
        # presolve of HiGHS 1.12 raises "vector::reserve" on some programs with loads of about 1e-9
        return Answer(NO_BATCH, model.bound())
    if result.status == 2:
        return Answer(NO_BATCH, best)
    batch = NO_BATCH if result.x is None else np.flatnonzero(result.x[:number] > 0.5)
    bound = model.weights.sum()
    if result.status == 0:
        bound = model.weights[batch].sum()
    elif result.mip_dual_bound is not None:
        bound = min(bound, (ROUNDING - result.mip_dual_bound) * unit)
    return Answer(batch, float(np.floor(bound) if model.whole() else bound))


def _segment_rows(segments: tuple[Segment, ...]) -> csr_array:
    """Rows that are at most 0: a segment is on with each of its live requests, and lasts as its lines say."""
    number, count = segments[0].live.size, len(segments)
    lines = sum(segment.slope.size for segment in segments)
    rows = lil_array((number + count - 1 + lines, number + 2 * count))
    # a request switches the last segment on that it lives in, and each segment the one before
    last = np.sum([segment.live for segment in segments], axis=0) - 1
    for request in range(number):
        rows[request, request], rows[request, number + last[request]] = 1.0, -1.0
    for later in range(1, count):
        row = number + later - 1
        rows[row, number + later], rows[row, number + later - 1] = 1.0, -1.0
    row = number + count - 1
    for place, segment in enumerate(segments):
        for slope, intercept in zip(segment.slope.tolist(), segment.intercept.tolist(), strict=True):
            rows[[row], np.flatnonzero(segment.live)] = slope / UNIT
            rows[row, number + place] = intercept / UNIT
            rows[row, number + count + place] = -1.0
            row += 1
    return csr_array(rows)
