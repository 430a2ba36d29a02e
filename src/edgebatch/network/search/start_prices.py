"""Prices of the requests to begin with: a linear program in which the corner of each node is fixed.

The corner of a node is the padded prompt and the deadline of a batch that is at hand. At these, budgets and
costs are linear, and the duals of the program say what each budget of each node is worth. A request
then has a profit at each node, and its price is between the second best profit and the best.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array

from edgebatch.network.problem import Network
from edgebatch.problem import Instance
from edgebatch.search.loads import loads

Batch = NDArray[np.int64]

BEYOND_SECOND = 0.25
"""How far a price is on the way from the second best profit to the best."""

PER_MEMBER, AT_LEAST = 6, 60
"""Cheap requests of a node that the program has, for each member of its batch and besides."""


class _Corner(NamedTuple):
    """Requests that fit the corner of a node, and their shares of its four budgets, shape (4, requests)."""

    requests: Batch
    shares: NDArray[np.float64]


def start_prices(network: Network, batches: Sequence[Batch]) -> NDArray[np.float64]:
    """Prices of all requests, shape (requests,), from the batches of a schedule.

    All are 0 if the program cannot be solved.
    """
    corners = [_corner(network, node, batch) for node, batch in enumerate(batches)]
    budgets = _prices_of_budgets(network, corners)
    profits = np.zeros((len(corners) + 1, network.size))
    for node, (requests, shares) in enumerate(corners):
        profits[node, requests] = np.maximum(0.0, network.weight[requests] - budgets[node] @ shares)
    second, best = np.sort(profits, axis=0)[-2:]
    return np.asarray(second + BEYOND_SECOND * (best - second))


def _corner(network: Network, node: int, batch: Batch) -> _Corner:
    instance, reach = network.instances[node], network.reach[node]
    members = np.searchsorted(reach, batch)
    if batch.size == 0:
        return _Corner(np.empty(0, np.int64), np.empty((4, 0)))
    padded = int(instance.padded(instance.prompt_tokens[members]).max())
    deadline_s = float(instance.deadline_s[members].min())
    inside = (instance.padded(instance.prompt_tokens) <= padded) & (instance.deadline_s >= deadline_s)
    fit = np.flatnonzero(instance.servable() & inside)
    shares = loads(instance, fit, padded, deadline_s)
    own = np.searchsorted(fit, members)
    used = shares[:, own].sum(axis=1)
    # arithmetic alone is not the compute time of a roofline
    used_s = _batch_time_s(instance, members, padded)
    shares[3] *= used_s / deadline_s / used[3] if used[3] > 0 else 1.0
    used[3] = used_s / deadline_s
    cheap = np.argsort(used @ shares / instance.weight[fit], kind="stable")
    kept = np.union1d(cheap[: PER_MEMBER * batch.size + AT_LEAST], own)
    return _Corner(reach[fit[kept]], shares[:, kept])


def _batch_time_s(instance: Instance, members: Batch, padded: int) -> float:
    lengths, counts = np.unique(instance.output_tokens[members], return_counts=True)
    return instance.system.batch_time_s(padded, lengths, counts)


def _prices_of_budgets(network: Network, corners: Sequence[_Corner]) -> NDArray[np.float64]:
    """Duals of the budgets, shape (nodes, 4)."""
    requests = np.concatenate([corner.requests for corner in corners])
    sizes = [corner.requests.size for corner in corners]
    node, column = np.repeat(np.arange(len(corners)), sizes), np.arange(requests.size)
    shares = np.concatenate([corner.shares for corner in corners], axis=1)
    rows = np.concatenate([*(4 * node + r for r in range(4)), 4 * len(corners) + requests])
    values = np.concatenate([shares.ravel(), np.ones(requests.size)])
    program = csc_array(
        (values, (rows, np.tile(column, 5))), shape=(4 * len(corners) + network.size, requests.size)
    )
    solved = linprog(-network.weight[requests], A_ub=program, b_ub=np.ones(program.shape[0]))
    if solved.status != 0:
        return np.zeros((len(corners), 4))
    return -np.reshape(solved.ineqlin.marginals[: 4 * len(corners)], (-1, 4))
