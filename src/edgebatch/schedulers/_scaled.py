"""P1 in whole numbers, one model a padded prompt length, for solvers that nobody here wrote.

Loads are rounded down and budgets up, so that every batch that fits in floats fits in whole numbers:
what a solver proves of these holds of those. The converse may fail by a hair: a batch of k requests
that is above a budget by less than k + 1 parts in `PARTS` passes. (For 67 requests that is the relative
tolerance of `edgebatch.problem.fits` once more.) So whatever a solver finds is put to the float test, and a
batch that it refuses is forbidden, with all that ask for no less, before the model is solved again:
neither a schedule nor a claim of optimality rests on the rounding.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.problem import RELATIVE_TOLERANCE, Instance, Schedule
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_time_limit

PARTS = 2**36
"""Each band, the whole memory and the longest deadline are so many parts."""


@dataclass(frozen=True)
class Scaled:
    """Requests that may share a padded prompt length, by descending deadline.

    Attributes
    ----------
    requests
        Indices into the instance, shape (requests,).
    loads
        Uplink, downlink, memory and compute of each request, int64, shape (4, requests).
    budgets
        What a batch may sum up to, int64, shape (4,); that of compute is the longest deadline.
    deadlines
        Budget of compute of a batch with the request in it, int64, shape (requests,).
    """

    requests: NDArray[np.int64]
    loads: NDArray[np.int64]
    budgets: NDArray[np.int64]
    deadlines: NDArray[np.int64]

    def bound(self) -> int:
        """Most requests that each budget alone allows, whatever their deadlines."""
        within = np.cumsum(np.sort(self.loads, axis=1), axis=1) <= self.budgets[:, None]
        return int(within.sum(axis=1).min())

    def within(self, compute: int) -> Scaled:
        """The model with so much for compute, without the requests that no such batch can hold."""
        budgets = np.append(self.budgets[:3], compute)
        kept = (self.loads <= budgets[:, None]).all(axis=0) & (self.deadlines >= compute)
        return Scaled(self.requests[kept], self.loads[:, kept], budgets, self.deadlines[kept])


class AtMost(NamedTuple):
    """No batch has more than `most` of the requests at `places`, positions in `Scaled.requests`."""

    places: NDArray[np.int64]
    most: int


class Answer(NamedTuple):
    """What a solver says of one model.

    Attributes
    ----------
    batch
        Positions in `Scaled.requests`; empty if it found none of the size asked for.
    bound
        No batch of the model is larger.
    """

    batch: NDArray[np.int64]
    bound: int


class Solver(Protocol):
    """Finds a largest batch of a model that has at least `at_least` requests, within `limit_s` seconds."""

    def __call__(self, model: Scaled, at_least: int, cuts: list[AtMost], limit_s: float) -> Answer: ...


def _models(instance: Instance) -> list[Scaled]:
    """The models of an instance: one with fixed padding, else one a distinct prompt length."""
    system = instance.system
    if system.cost != "flops":
        raise InputError("cost", repr(system.cost), "flops: this scheduler solves linear costs alone")
    candidates = np.flatnonzero(instance.servable())
    candidates = candidates[np.argsort(-instance.deadline_s[candidates], kind="stable")]
    prompts = instance.prompt_tokens[candidates]
    fixed = system.fixed_padding_tokens
    lengths = [fixed] if fixed is not None else np.unique(prompts).tolist()
    return [_model(instance, candidates[prompts <= length], length) for length in lengths if prompts.size]


def _model(instance: Instance, requests: NDArray[np.int64], padded: int) -> Scaled:
    system = instance.system
    outputs, deadlines_s = instance.output_tokens[requests], instance.deadline_s[requests]
    flops = system.llm.request_flops(np.full_like(outputs, padded), outputs)
    memory_bytes = system.edge_node.memory_bytes * (1 + RELATIVE_TOLERANCE)
    parts_of = [
        instance.uplink_share[requests] / (1 + RELATIVE_TOLERANCE),
        instance.downlink_share[requests] / (1 + RELATIVE_TOLERANCE),
        system.kv_bytes(padded, outputs) / memory_bytes,
        flops * system.seconds_per_flop / (deadlines_s[0] * (1 + RELATIVE_TOLERANCE)),
    ]
    # at most twice the budget: what is alone too much under this padding must not overflow
    loads = np.floor(np.minimum(parts_of, 2.0) * PARTS).astype(np.int64)
    # one part more, for the rounding of the divisions above
    deadlines = np.floor(deadlines_s / deadlines_s[0] * PARTS).astype(np.int64) + 1
    for_cache = int((1 - system.weight_bytes / memory_bytes) * PARTS) + 1
    budgets = np.array([PARTS + 1, PARTS + 1, for_cache, deadlines[0]])
    kept = (loads <= budgets[:, None]).all(axis=0) & (loads[3] <= deadlines)
    return Scaled(requests[kept], loads[:, kept], budgets, deadlines[kept])


def largest(
    instance: Instance, solver: Solver, time_limit_s: float | None, by_deadline: bool = False
) -> Schedule:
    """The largest batch of all models, by descending bound until no other can beat the best.

    Parameters
    ----------
    by_deadline
        Make a model for each deadline: it is the budget of compute, and no request's is shorter.
    time_limit_s
        Stop after so long, with the best batch so far and the bound proven by then; None for no limit.

    Raises
    ------
    InputError
        For a cost model under which the compute time is not a sum over requests, or a limit that is none.
    """
    check_time_limit(time_limit_s)
    models = _models(instance)
    end_s = np.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    servable = np.flatnonzero(instance.servable())
    order = np.lexsort((instance.output_tokens[servable], instance.prompt_tokens[servable]))
    best = admit_in_order(instance, servable[order])
    tasks: list[tuple[int, Scaled, int | None]] = []
    for whole in models:
        if by_deadline:
            deadlines = np.unique(whole.deadlines)[::-1].tolist()
            tasks += [(whole.within(deadline).bound(), whole, deadline) for deadline in deadlines]
        else:
            tasks.append((whole.bound(), whole, None))
    refused: list[tuple[NDArray[np.int64], int]] = []
    proven = 0
    for bound, whole, deadline in sorted(tasks, key=lambda task: -task[0]):
        if bound <= len(best):
            break
        model = whole if deadline is None else whole.within(deadline)
        while bound > len(best):
            left_s = end_s - time.perf_counter()
            if left_s <= 0:
                break
            cuts = [AtMost(np.flatnonzero(np.isin(model.requests, those)), most) for those, most in refused]
            answer = solver(model, len(best) + 1, cuts, left_s)
            bound = min(bound, answer.bound)
            if answer.batch.size == 0:
                break
            found = tuple(sorted(model.requests[answer.batch].tolist()))
            if admit_in_order(instance, found) == found:
                best = found
            else:
                refused.append((_no_cheaper(instance, found), len(found) - 1))
        proven = max(proven, bound)
    return Schedule(best, upper_bound=max(len(best), proven))


def _no_cheaper(instance: Instance, batch: tuple[int, ...]) -> NDArray[np.int64]:
    """The batch, and whoever asks for no less than each of it in every respect."""
    asked = np.stack(
        (
            *(instance.prompt_tokens, instance.output_tokens),
            *(instance.uplink_share, instance.downlink_share, -instance.deadline_s),
        )
    )
    dearer = (asked >= asked[:, batch].max(axis=1, keepdims=True)).all(axis=0)
    return np.union1d(np.flatnonzero(dearer), batch)
