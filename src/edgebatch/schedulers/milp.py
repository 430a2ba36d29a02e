"""Mixed-integer programming by HiGHS, through SciPy: an exact solver, independent of the tree searches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from edgebatch.errors import InputError, one_of
from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._scaled import PARTS, Answer, AtMost, Scaled, solve_models

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
    """Return the largest feasible batch under the cost model `flops`.

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
        For another cost model, or a bad value of `deadlines` or `time_limit_s`.
    """
    if deadlines not in DEADLINES:
        raise InputError("deadlines", repr(deadlines), one_of(deadlines, DEADLINES))
    if deadlines == "big_m":
        return solve_models(instance, _with_big_m, time_limit_s)
    return solve_models(instance, _within_threshold, time_limit_s, by_deadline=True)


def _within_threshold(model: Scaled, at_least: int, cuts: list[AtMost], limit_s: float) -> Answer:
    objective = -np.ones(model.requests.size)
    relaxed = linprog(objective, model.loads / UNIT, model.budgets / UNIT, bounds=(0, 1))
    if relaxed.status == 0 and -relaxed.fun + ROUNDING < at_least:
        return Answer(NO_BATCH, at_least - 1)
    return _solve(model, model.loads, model.budgets, at_least, cuts, limit_s)


def _with_big_m(model: Scaled, at_least: int, cuts: list[AtMost], limit_s: float) -> Answer:
    """Row i: compute of the batch + (longest deadline - deadline i) x_i <= longest deadline."""
    switched = model.loads[3] + np.diag(model.budgets[3] - model.deadlines)
    rows = np.vstack((model.loads[:3], switched))
    budgets = np.concatenate((model.budgets[:3], np.full(len(switched), model.budgets[3])))
    return _solve(model, rows, budgets, at_least, cuts, limit_s)


def _solve(
    model: Scaled,
    rows: NDArray[np.int64],
    budgets: NDArray[np.int64],
    at_least: int,
    cuts: list[AtMost],
    limit_s: float,
) -> Answer:
    ones = np.ones(model.requests.size)
    constraints = [LinearConstraint(rows / UNIT, ub=budgets / UNIT), LinearConstraint(ones, lb=at_least)]
    for cut in cuts:
        constraints.append(LinearConstraint(np.isin(np.arange(ones.size), cut.places), ub=cut.most))
    options = {"mip_rel_gap": 0.0} | ({"time_limit": limit_s} if np.isfinite(limit_s) else {})
    try:
        result = milp(-ones, integrality=ones, bounds=Bounds(0, 1), constraints=constraints, options=options)
    except (ValueError, RuntimeError):
        # presolve of HiGHS 1.12 raises "vector::reserve" on some programs with loads of about 1e-9
        return Answer(NO_BATCH, model.bound())
    if result.status == 2:
        return Answer(NO_BATCH, at_least - 1)
    bound = ones.size if result.mip_dual_bound is None else -result.mip_dual_bound
    batch = NO_BATCH if result.x is None else np.flatnonzero(result.x > 0.5)
    return Answer(batch, int(min(bound + ROUNDING, ones.size)))
