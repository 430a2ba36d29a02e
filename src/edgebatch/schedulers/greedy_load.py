"""Least load first: take the requests that need the smallest shares of all four budgets together."""

from __future__ import annotations

import numpy as np

from edgebatch.problem import Instance, Schedule
from edgebatch.schedulers._admission import admit_by
from edgebatch.search.loads import loads


def schedule(instance: Instance) -> Schedule:
    """Admit servable requests by the sum of their four loads, and skip those that break a constraint.

    A load is the cost of the request as a batch of one, divided by the budget. The budget of compute time
    is the request's own deadline, so that an urgent request, which would set the deadline of the whole
    batch, counts for more. Every request is worth the same, so that the least load comes first: the
    greedy rule for the multidimensional knapsack (Kellerer, Pferschy and Pisinger, Knapsack
    Problems, 2004, chapter 9).
    """
    every = np.arange(instance.size)
    padded = instance.padded(instance.prompt_tokens)
    return admit_by(instance, loads(instance, every, padded, instance.deadline_s).sum(axis=0))
