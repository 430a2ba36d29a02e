"""Serve one epoch of several nodes by a method, with a bound that is proven apart from it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from edgebatch.network import methods
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.schedulers import surrogate


def solve_network(network: Network, method: str = "joint", **options: Any) -> NetworkSchedule:
    """Choose who is served where.

    Parameters
    ----------
    method
        A file of `edgebatch.network.methods`, with its `options`.

    Returns
    -------
    NetworkSchedule
        Its `upper_bound` is the least of what the method proves and of `bound_of_nodes`.

    Raises
    ------
    InputError
        For an unknown method.
    """
    schedule = methods.get(method)(network, **options)
    bound = max(schedule.weight, min(schedule.upper_bound, bound_of_nodes(network)))
    return dataclasses.replace(schedule, upper_bound=bound)


def bound_of_nodes(network: Network) -> float:
    """Upper bound on the weight: what all nodes serve if each may take everybody, and all who fit somewhere."""
    able = np.zeros(network.size, dtype=bool)
    of_nodes = 0.0
    for requests, instance in zip(network.reach, network.instances, strict=True):
        able[requests[instance.servable()]] = True
        of_nodes += surrogate.schedule(instance).upper_bound
    return min(of_nodes, network.weight_of(np.flatnonzero(able).tolist()))
