"""A linear program over who is served where, as if requests could be served in part: a bound, and prices."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from edgebatch.network.columns import Prices
from edgebatch.network.problem import Network
from edgebatch.search.loads import loads


def relax(network: Network) -> Prices:
    """Optimum, and worth of each request, of the relaxed problem.

    Each request costs what it would with its own prompt length and the whole compute slot, which is never more than
    in a batch, so that the optimum is an upper bound on the weight of every schedule.
    """
    requests, costs, node_of = [], [], []
    for node, (reached, instance) in enumerate(zip(network.reach, network.instances, strict=True)):
        own = np.flatnonzero(instance.servable())
        padded = instance.padded(instance.prompt_tokens[own])
        costs.append(loads(instance, own, padded, instance.system.slots.compute_s))
        requests.append(reached[own])
        node_of.append(np.full(own.size, node))
    who, cost, where = np.concatenate(requests), np.concatenate(costs, axis=1), np.concatenate(node_of)
    if who.size == 0:
        return Prices(0.0, np.zeros(network.size))
    places = np.arange(who.size)
    once = csr_array((np.ones(who.size), (who, places)), shape=(network.size, who.size))
    rows = np.concatenate([network.size + 4 * where + budget for budget in range(4)])
    budgets = csr_array(
        (cost.ravel(), (rows, np.tile(places, 4))), shape=(network.size + 4 * len(network.nodes), who.size)
    )
    once.resize(budgets.shape)
    found = linprog(
        -network.weight[who], A_ub=once + budgets, b_ub=np.ones(budgets.shape[0]), bounds=(0, None), method="highs"
    )
    return Prices(-float(found.fun), -found.ineqlin.marginals[: network.size])
