"""Batches of nodes as columns: prices of requests by linear programming, and the best choice of one a node."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, hstack, identity, vstack


class Column(NamedTuple):
    """A feasible batch of a node, as indices into the network."""

    node: int
    batch: NDArray[np.int64]


class Prices(NamedTuple):
    """Optimum of the linear program over the columns, and what a request is worth there, shape (requests,)."""

    optimum: float
    of_requests: NDArray[np.float64]


def _incidence(columns: list[Column], requests: int) -> csr_array:
    """Which request is in which column, shape (requests, columns)."""
    rows = np.concatenate([column.batch for column in columns])
    places = np.repeat(np.arange(len(columns)), [len(column.batch) for column in columns])
    return csr_array((np.ones(rows.size), (rows, places)), shape=(requests, len(columns)))


def _one_a_node(columns: list[Column], nodes: int) -> csr_array:
    """Which column is of which node, shape (nodes, columns)."""
    of = [column.node for column in columns]
    return csr_array((np.ones(len(of)), (of, range(len(of)))), shape=(nodes, len(columns)))


def price(columns: list[Column], weight: NDArray[np.float64], nodes: int) -> Prices:
    """Prices at which no column of a node is worth more than the node's best: duals of the relaxed choice."""
    incidence = _incidence(columns, weight.size)
    rows = vstack([incidence, _one_a_node(columns, nodes)], format="csr")
    worth = incidence.T @ weight
    found = linprog(-worth, A_ub=rows, b_ub=np.ones(rows.shape[0]), bounds=(0, None), method="highs")
    return Prices(-float(found.fun), -found.ineqlin.marginals[: weight.size])


def choose(
    columns: list[Column], weight: NDArray[np.float64], nodes: int, node_limit: int
) -> list[NDArray[np.int64]]:
    """One column of each node, so that the weight of all who are in some chosen column is largest.

    Part of a batch is a batch, so that columns may overlap: who is in two chosen columns stays in the first.

    Returns
    -------
    list
        A batch for each node.
    """
    incidence, number, requests = _incidence(columns, weight.size), len(columns), weight.size
    covered = hstack([-incidence, identity(requests)], format="csr")
    one = hstack([_one_a_node(columns, nodes), csr_array((nodes, requests))], format="csr")
    found = milp(
        -np.concatenate([np.zeros(number), weight]),
        integrality=np.concatenate([np.ones(number), np.zeros(requests)]),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(covered, ub=0), LinearConstraint(one, ub=1)],
        options={"node_limit": node_limit},
    )
    batches = [np.empty(0, np.int64)] * nodes
    if found.x is None:
        return batches
    free = np.ones(requests, dtype=bool)
    for place in np.flatnonzero(found.x[:number] > 0.5):
        node, batch = columns[place]
        batches[node] = batch[free[batch]]
        free[batch] = False
    return batches
