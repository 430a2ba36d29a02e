"""Constraint programming by OR-Tools' CP-SAT: an exact solver, independent of the tree searches."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from edgebatch.errors import InputError
from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._scaled import Answer, AtMost, Scaled, solve_models
from edgebatch.schedulers._segments import Segment
from edgebatch.schema import Range, describe

TAKES_WEIGHTS = True
WEIGHT_PARTS = 2**48
"""Number of parts in the sum of all weights, unless these are whole numbers."""

WORKERS = Range(at_least=1, at_most=1024, whole=True)


def schedule(instance: Instance, *, workers: int = 1, time_limit_s: float | None = None) -> Schedule:
    """Return the feasible batch of most weight, for models without experts.

    Parameters
    ----------
    workers
        Threads of the solver.
    time_limit_s
        Most seconds; after that, the best batch so far and a proven upper bound. None for no limit.

    Raises
    ------
    InputError
        For a model with experts, a bad number of workers or time limit, or without OR-Tools installed.
    """
    try:
        import ortools.sat.python.cp_model  # noqa: F401
    except ImportError:
        expected = "the package ortools: pip install 'edgebatch[cp_sat]'"
        raise InputError("scheduler", "'cp_sat' without OR-Tools", expected) from None
    if workers not in WORKERS:
        raise InputError("workers", describe(workers), str(WORKERS))
    return solve_models(instance, partial(_solve, workers=workers), time_limit_s)


def _solve(model: Scaled, best: float, cuts: list[AtMost], limit_s: float, *, workers: int) -> Answer:
    """Find a batch of most weight of one model.

    Literal ``shorter[k]`` is true if the batch has a request with the k-th longest deadline or a shorter
    one. Each true literal reduces the compute budget by the step from the deadline before.
    """
    from ortools.sat.python import cp_model

    program = cp_model.CpModel()
    taken = [program.new_bool_var("") for _ in model.requests]
    for loads, budget in zip(model.loads[:3].tolist(), model.budgets.tolist(), strict=False):
        program.add(cp_model.LinearExpr.weighted_sum(taken, loads) <= budget)
    deadlines, place = np.unique(-model.deadlines, return_inverse=True)
    shorter = [program.new_bool_var("") for _ in deadlines]
    for literal, k in zip(taken, place.tolist(), strict=True):
        program.add_implication(literal, shorter[k])
    for earlier, later in pairwise(shorter):
        program.add_implication(later, earlier)
    steps = np.diff(deadlines, prepend=-model.budgets[3])
    parts, weights = taken, model.loads[3].tolist()
    if model.segments:
        parts = [_time(program, segment, taken, model) for segment in model.segments]
        weights = [1] * len(parts)
    compute = cp_model.LinearExpr.weighted_sum(parts + shorter, weights + steps.tolist())
    program.add(compute <= int(model.budgets[3]))
    for cut in cuts:
        program.add(cp_model.LinearExpr.sum([taken[i] for i in cut.places]) <= cut.most)
    # whole weights are exact; others are rounded up, so that a bound of the model is one of P1
    part = 1.0 if model.whole() else float(model.weights.sum()) / WEIGHT_PARTS
    worth = cp_model.LinearExpr.weighted_sum(taken, np.ceil(model.weights / part).astype(np.int64).tolist())
    program.add(worth >= int(np.ceil(model.above(best) / part)))
    program.maximize(worth)

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    # presolve of OR-Tools 9.15 sums loads in 32 bits and loses optima (issue 5293 of google/or-tools)
    solver.parameters.cp_model_presolve = False
    if np.isfinite(limit_s):
        solver.parameters.max_time_in_seconds = limit_s
    status = solver.solve(program)
    if status == cp_model.INFEASIBLE:
        return Answer(np.array([], dtype=np.int64), best)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(np.array([], dtype=np.int64), float(model.weights.sum()))
    batch = np.array([i for i, literal in enumerate(taken) if solver.value(literal)], dtype=np.int64)
    return Answer(batch, int(solver.best_objective_bound + 1e-6) * part)


def _time(program: Any, segment: Segment, taken: list[Any], model: Scaled) -> Any:
    """A variable that is at least the time of a segment, and 0 without a live request."""
    from ortools.sat.python import cp_model

    live = [taken[i] for i in np.flatnonzero(segment.live)]
    on = program.new_bool_var("")
    for literal in live:
        program.add_implication(literal, on)
    time = program.new_int_var(0, int(model.budgets[3]), "")
    for slope, intercept in zip(segment.slope.tolist(), segment.intercept.tolist(), strict=True):
        line = cp_model.LinearExpr.weighted_sum([*live, on], [slope] * len(live) + [intercept])
        program.add(line <= time)
    return time
