"""Integer-scaled problem P1 for third-party solvers (HiGHS, CP-SAT): one model per padded prompt length.

Where requests are billed the longest output of their batch, there is one model per pair of padded prompt
length and longest output.

Loads are rounded down and budgets up. So every batch that is feasible in floats is feasible in the model,
and an upper bound of the model is an upper bound of P1. The converse may fail: a batch of k requests that
exceeds a budget by less than k + 1 parts in `PARTS` is feasible in the model. (For 67 requests that is the
relative tolerance of `edgebatch.problem.fits` once more.) Therefore each batch of a solver is tested in
floats. If it fails, the model gets a cut against it and against all that cost no less, and is solved
again. Neither a schedule nor a claim of optimality depends on the rounding.
"""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule, fits
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_time_limit
from edgebatch.schedulers._segments import Segment, segments
from edgebatch.search.loads import loads

PARTS = 2**36
"""Number of parts in each budget: a band, the memory that the weights leave, the longest deadline."""


@dataclass(frozen=True)
class Scaled:
    """Model of the batches of one padded prompt length and billing; requests by descending deadline.

    Attributes
    ----------
    requests
        Indices into the instance, shape (requests,).
    loads
        Uplink, downlink, memory and compute of each request, int64, shape (4, requests).
    budgets
        Largest sum of each load, int64, shape (4,); for compute it is the longest deadline.
    deadlines
        Compute budget of a batch with the request in it, int64, shape (requests,).
    weights
        What each request is worth, shape (requests,).
    segments
        Under a roofline, what makes up the compute time; without any, it is the sum of the fourth loads.
    """

    requests: NDArray[np.int64]
    loads: NDArray[np.int64]
    budgets: NDArray[np.int64]
    deadlines: NDArray[np.int64]
    weights: NDArray[np.float64]
    segments: tuple[Segment, ...] = ()

    def largest(self) -> int:
        """Upper bound on the batch size by each budget alone, without deadlines."""
        within = np.cumsum(np.sort(self.loads, axis=1), axis=1) <= self.budgets[:, None]
        return int(within.sum(axis=1).min())

    def bound(self) -> float:
        """Upper bound on the weight of a batch by its size alone."""
        return float(np.sort(self.weights)[::-1][: self.largest()].sum())

    def above(self, weight: float) -> float:
        """The least weight above `weight` that a batch can have, or that is told apart from it."""
        return weight + 1 if self.whole() else weight * (1 + RELATIVE_TOLERANCE)

    def whole(self) -> bool:
        """Whether all weights are whole numbers."""
        return bool((self.weights == np.floor(self.weights)).all())

    def within(self, compute: int) -> Scaled:
        """The model with compute budget `compute`, without the requests that no such batch can hold."""
        budgets = np.append(self.budgets[:3], compute)
        kept = (self.loads <= budgets[:, None]).all(axis=0) & (self.deadlines >= compute)
        return self.of(kept, budgets)

    def of(self, kept: NDArray[np.bool_], budgets: NDArray[np.int64]) -> Scaled:
        """The model of the requests `kept`, with other budgets."""
        segments = tuple(segment._replace(live=segment.live[kept]) for segment in self.segments)
        return Scaled(
            self.requests[kept],
            self.loads[:, kept],
            budgets,
            self.deadlines[kept],
            self.weights[kept],
            segments,
        )


class AtMost(NamedTuple):
    """No batch has more than `most` of the requests at `places`, positions in `Scaled.requests`."""

    places: NDArray[np.int64]
    most: int


class Answer(NamedTuple):
    """Answer of a solver to one model.

    Attributes
    ----------
    batch
        Positions in `Scaled.requests`; empty if the solver has no batch of the weight asked for.
    bound
        Upper bound on the weight of a batch of the model.
    """

    batch: NDArray[np.int64]
    bound: float


class Solver(Protocol):
    """Find a batch of most weight that weighs more than `best`, within `limit_s` seconds."""

    def __call__(self, model: Scaled, best: float, cuts: list[AtMost], limit_s: float) -> Answer: ...


def _models(instance: Instance) -> list[Scaled]:
    """The models of an instance: one for each padded prompt length and each output length to bill."""
    system = instance.system
    candidates = np.flatnonzero(instance.servable())
    candidates = candidates[np.argsort(-instance.deadline_s[candidates], kind="stable")]
    prompts = instance.prompt_tokens[candidates]
    fixed = system.fixed_padding_tokens
    lengths = [fixed] if fixed is not None else np.unique(prompts).tolist()
    outputs = instance.output_tokens[candidates]
    billed = np.unique(outputs).tolist() if system.bills_longest else [None]
    models = []
    for length, longest in itertools.product(lengths, billed):
        fit = candidates[(prompts <= length) & (longest is None or outputs <= longest)]
        if fit.size:
            models.append(_model(instance, fit, length, longest))
    return models


def _model(instance: Instance, requests: NDArray[np.int64], padded: int, longest: int | None) -> Scaled:
    """The model of one padded prompt length and billing; the first of `requests` has the longest deadline."""
    deadlines_s = instance.deadline_s[requests]
    shares = loads(instance, requests, padded, deadlines_s[0], longest)
    # at most twice the budget: requests that this padding makes too dear must not overflow
    scaled = np.floor(np.minimum(shares, 2.0) * PARTS).astype(np.int64)
    # one part more, for the rounding of the divisions
    deadlines = np.floor(deadlines_s / deadlines_s[0] * PARTS).astype(np.int64) + 1
    budgets = np.array([PARTS + 1, PARTS + 1, PARTS + 1, deadlines[0]])
    kept = (scaled <= budgets[:, None]).all(axis=0) & (scaled[3] <= deadlines)
    model = Scaled(requests[kept], scaled[:, kept], budgets, deadlines[kept], instance.weight[requests[kept]])
    if instance.system.arithmetic_alone:
        return model
    outputs = instance.output_tokens[model.requests]
    if longest is not None:
        outputs = np.full_like(outputs, longest)
    parts_per_s = PARTS / (deadlines_s[0] * (1 + RELATIVE_TOLERANCE))
    times = segments(instance.system, padded, outputs, model.largest(), parts_per_s)
    return replace(model, segments=times)


def solve_models(
    instance: Instance, solver: Solver, time_limit_s: float | None, by_deadline: bool = False
) -> Schedule:
    """Return the batch of most weight of all models, solved by descending bound until none can weigh more.

    Parameters
    ----------
    time_limit_s
        Most seconds; after that, the best batch so far and a proven upper bound. None for no limit.
    by_deadline
        Split each model by deadline: the deadline is the compute budget, and no request has an earlier one.

    Raises
    ------
    InputError
        For a model with experts, whose compute time is not convex, or a bad time limit.
    """
    check_time_limit(time_limit_s)
    models = _models(instance)
    end_s = np.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    servable = np.flatnonzero(instance.servable())
    order = np.lexsort((instance.output_tokens[servable], instance.prompt_tokens[servable]))
    best = admit_in_order(instance, servable[order])
    weight = instance.weight_of(best)
    tasks: list[tuple[float, Scaled, int | None]] = []
    for whole in models:
        if by_deadline:
            deadlines = np.unique(whole.deadlines)[::-1].tolist()
            tasks += [(whole.within(deadline).bound(), whole, deadline) for deadline in deadlines]
        else:
            tasks.append((whole.bound(), whole, None))
    refused: list[tuple[NDArray[np.int64], int]] = []
    proven: float = 0
    for bound, whole, deadline in sorted(tasks, key=lambda task: -task[0]):
        if fits(bound, weight):
            break
        model = whole if deadline is None else whole.within(deadline)
        while not fits(bound, weight):
            left_s = end_s - time.perf_counter()
            if left_s <= 0:
                break
            cuts = [AtMost(np.flatnonzero(np.isin(model.requests, those)), most) for those, most in refused]
            answer = solver(model, weight, cuts, left_s)
            bound = min(bound, answer.bound)
            if answer.batch.size == 0:
                break
            batch = tuple(sorted(model.requests[answer.batch].tolist()))
            if admit_in_order(instance, batch) == batch:
                if instance.weight_of(batch) > weight:
                    best, weight = batch, instance.weight_of(batch)
            else:
                refused.append((_no_cheaper(instance, batch), len(batch) - 1))
        proven = max(proven, bound)
    if not instance.weighted:
        proven = int(proven)
    return Schedule(best, upper_bound=max(weight, proven), weight=weight)


def _no_cheaper(instance: Instance, batch: tuple[int, ...]) -> NDArray[np.int64]:
    """The batch, and the requests that cost no less in any respect than each request of it."""
    costs = np.stack(
        (
            *(instance.prompt_tokens, instance.output_tokens),
            *(instance.uplink_share, instance.downlink_share, -instance.deadline_s),
        )
    )
    dearer = (costs >= costs[:, batch].max(axis=1, keepdims=True)).all(axis=0)
    return np.union1d(np.flatnonzero(dearer), batch)
