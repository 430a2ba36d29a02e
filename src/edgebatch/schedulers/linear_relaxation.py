"""Linear relaxation: a proven upper bound on every batch, and a batch rounded from it."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from edgebatch.errors import InputError
from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.search.loads import loads

MARGIN = 1e-9
"""Relative rounding error allowed for in sums: far above theirs, far below one request."""


class Relaxation(NamedTuple):
    """The requests that may be in a batch of a given padded prompt length and deadline.

    Attributes
    ----------
    requests
        Indices into the instance, shape (requests,).
    load
        Load of each request on each budget, shape (4, requests); no row of a batch sums to more than 1.
    """

    requests: NDArray[np.int64]
    load: NDArray[np.float64]


def schedule(instance: Instance) -> Schedule:
    """Bound the largest batch by linear programs, and fill a batch by their shadow prices.

    Every batch has a padded prompt length and a deadline, the earliest of its requests; and a longest output,
    if requests are billed that. For each choice of these the batch is a 0/1 point of a linear program with
    four rows. The largest optimum of all choices, rounded down, bounds every batch. A choice needs no program
    if a single budget, or the prices of another program, already bound it by a size that is known.

    Returns
    -------
    Schedule
        The largest batch that comes from admitting the requests of a choice in order of the price of their
        loads, which rounds the solution of its program. Optimal if its size meets the bound.

    Raises
    ------
    InputError
        For a cost model other than `flops`: its compute time is not linear.
    """
    if instance.system.cost != "flops":
        raise InputError("cost", "roofline", "flops: the linear relaxation needs a linear cost model")
    if not instance.system.arithmetic_alone:
        found = f"{instance.system.load_s:g} s of loading in each step"
        raise InputError("storage", found, "nothing: the linear relaxation needs a linear cost model")
    servable = np.flatnonzero(instance.servable())
    outputs = np.unique(instance.output_tokens[servable]).tolist()
    choices: list[tuple[int, float, int | None]] = list(
        itertools.product(
            np.unique(instance.padded(instance.prompt_tokens[servable])).tolist(),
            np.unique(instance.deadline_s[servable]).tolist(),
            outputs if instance.system.bills_longest else [None],
        )
    )
    simple = {choice: simple_bound(relaxation(instance, servable, *choice).load) for choice in choices}
    bound, prices = 0, np.zeros(4)
    batch: tuple[int, ...] = ()
    for choice in sorted(choices, key=simple.__getitem__, reverse=True):
        known = max(bound, len(batch))
        if simple[choice] <= known:
            break
        requests, load = relaxation(instance, servable, *choice)
        # the prices of the last program often bound this choice well enough
        if linear_bound(load, prices) > known:
            prices = shadow_prices(load)
            bound = max(bound, min(simple[choice], linear_bound(load, prices)))
        if len(batch) < bound:
            order = requests[np.argsort(prices @ load, kind="stable")]
            batch = max(batch, admit_in_order(instance, order), key=len)
    return Schedule(batch, upper_bound=max(bound, len(batch)))


def relaxation(
    instance: Instance,
    servable: NDArray[np.int64],
    padded_prompt_tokens: int,
    deadline_s: float,
    longest_output_tokens: int | None = None,
) -> Relaxation:
    """Requests of `servable` that may be in a batch of this padded length and deadline, with their loads.

    If `longest_output_tokens` is given, none has a longer output, and each is billed that.
    """
    in_time = instance.deadline_s[servable] >= deadline_s
    requests = servable[in_time & (instance.prompt_tokens[servable] <= padded_prompt_tokens)]
    if longest_output_tokens is not None:
        requests = requests[instance.output_tokens[requests] <= longest_output_tokens]
    load = loads(instance, requests, padded_prompt_tokens, deadline_s, longest_output_tokens)
    possible = (load <= 1 + MARGIN).all(axis=0)
    return Relaxation(requests[possible], load[:, possible])


def simple_bound(load: NDArray[np.float64]) -> int:
    """Number of requests that the tightest single budget holds."""
    filled = np.cumsum(np.sort(load, axis=1), axis=1)
    return int((filled <= 1 + MARGIN).sum(axis=1).min())


def shadow_prices(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shadow price of each budget in the linear program, shape (4,); zeros if the solver fails."""
    solution = linprog(-np.ones(load.shape[1]), A_ub=load, b_ub=np.ones(len(load)), bounds=(0, 1))
    if not solution.success:
        return np.zeros(len(load))
    return np.maximum(0.0, -solution.ineqlin.marginals)


def linear_bound(load: NDArray[np.float64], prices: NDArray[np.float64]) -> int:
    """Upper bound that any prices >= 0 of the budgets prove, by weak duality.

    For a batch S of requests with loads a_i, |S| <= sum(prices) + sum_i max(0, 1 - prices . a_i). This
    holds for all prices, so that the solver's tolerances do not matter; the margin covers the rounding of
    this sum.
    """
    dual = prices.sum() + np.maximum(0.0, 1 - prices @ load).sum()
    return int(np.floor(dual * (1 + MARGIN) + MARGIN))
