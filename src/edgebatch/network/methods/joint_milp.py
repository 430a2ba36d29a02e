"""One mixed-integer program of all nodes, by HiGHS: exact, for small networks, apart from the searches."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, lil_array

from edgebatch.errors import InputError
from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.network.search.nodes import servable, unproven
from edgebatch.problem import RELATIVE_TOLERANCE, Instance, fits
from edgebatch.search.loads import loads

PROVES = True

ROUNDING = 1e-6
"""A bound of HiGHS is rounded up to a whole number if it is no farther below it."""

Place = tuple[int, int, int]
"""A node, a padded prompt length, and a request that may be in a batch of that length there."""


def schedule(network: Network, *, time_limit_s: float | None = None) -> NetworkSchedule:
    """Return the best schedule, for nodes whose compute time is arithmetic alone.

    A binary variable says whether a request is in the batch of one padded length of one node, another which
    length a node has. The deadline of each request is switched on by its variable.

    Parameters
    ----------
    time_limit_s
        Most seconds; after that, the best schedule so far and a proven upper bound. None for no limit.

    Raises
    ------
    InputError
        For a node with a roofline, or one that bills the longest output.
    """
    for node in network.nodes:
        if not node.system.arithmetic_alone or node.system.bills_longest:
            raise InputError(
                f"nodes.{node.id}.cost", repr(node.system.cost), "flops, and each its own output"
            )
    places, rows, most, columns = _program(network)
    cuts: list[tuple[list[int], int]] = []
    options = {"mip_rel_gap": 0.0} | ({} if time_limit_s is None else {"time_limit": time_limit_s})
    weight = network.weight[[request for _, _, request in places]] if places else np.empty(0)
    objective = -np.concatenate([weight, np.zeros(columns - len(places))])
    while True:
        constraints = [LinearConstraint(rows, ub=most)]
        for members, at_most in cuts:
            row = np.zeros(columns)
            row[members] = 1.0
            constraints.append(LinearConstraint(row, ub=at_most))
        found = milp(
            objective,
            integrality=np.ones(columns),
            bounds=Bounds(0, 1),
            constraints=constraints,
            options=options,
        )
        if found.x is None:
            return unproven(network, ((),) * len(network.nodes))
        chosen = [place for place in range(len(places)) if found.x[place] > 0.5]
        wrong = _infeasible(network, places, chosen)
        if not wrong:
            break
        # HiGHS allows a millionth more than a budget
        cuts += [(members, len(members) - 1) for members in wrong]
    batches = tuple(
        tuple(sorted(places[place][2] for place in chosen if places[place][0] == node))
        for node in range(len(network.nodes))
    )
    schedule = unproven(network, batches)
    bound = -found.mip_dual_bound
    whole = bool((network.weight == np.floor(network.weight)).all())
    bound = float(np.floor(bound + ROUNDING)) if whole else bound * (1 + RELATIVE_TOLERANCE)
    return dataclasses.replace(schedule, upper_bound=max(schedule.weight, bound))


def _program(network: Network) -> tuple[list[Place], csr_array, NDArray[np.float64], int]:
    """Places, constraint rows with their upper limits, and the number of variables."""
    here = servable(network)
    lengths: list[tuple[int, int]] = []
    places: list[Place] = []
    costs: list[NDArray[np.float64]] = []
    deadlines: list[float] = []
    for node, (reached, instance) in enumerate(zip(network.reach, network.instances, strict=True)):
        own = np.flatnonzero(here[node, reached])
        compute_s = instance.system.slots.compute_s
        for padded in _lengths(instance, own):
            fitting = own[instance.padded(instance.prompt_tokens[own]) <= padded]
            lengths.append((node, padded))
            places += [(node, padded, int(request)) for request in reached[fitting]]
            costs.append(loads(instance, fitting, padded, compute_s))
            deadlines += np.minimum(instance.deadline_s[fitting] / compute_s, 1.0).tolist()
    number, all_costs = len(places), np.concatenate([*costs, np.empty((4, 0))], axis=1)
    rows = lil_array((5 * len(lengths) + number + network.size + len(network.nodes), number + len(lengths)))
    most = np.zeros(rows.shape[0])
    row = 0
    for place, length in enumerate(lengths):
        members = [p for p, (node, padded, _) in enumerate(places) if (node, padded) == length]
        for cost in all_costs:
            rows[[row], members] = cost[members]
            rows[row, number + place] = -1.0
            row += 1
        rows[[row], members] = 1.0
        rows[row, number + place] = -float(len(members))
        row += 1
        for member in members:
            rows[[row], members] = all_costs[3, members]
            rows[row, member] = all_costs[3, member] + 1 - deadlines[member]
            most[row] = 1.0
            row += 1
    for request in range(network.size):
        rows[[row], [p for p, (_, _, i) in enumerate(places) if i == request]] = 1.0
        most[row] = 1.0
        row += 1
    for node in range(len(network.nodes)):
        rows[[row], [number + place for place, length in enumerate(lengths) if length[0] == node]] = 1.0
        most[row] = 1.0
        row += 1
    return places, csr_array(rows), most, number + len(lengths)


def _lengths(instance: Instance, requests: NDArray[np.int64]) -> list[int]:
    return sorted(set(instance.padded(instance.prompt_tokens[requests]).tolist()))


def _infeasible(network: Network, places: list[Place], chosen: list[int]) -> list[list[int]]:
    """The batches among the chosen places that a node does not bear, each as its places."""
    wrong = []
    for node in range(len(network.nodes)):
        members = [place for place in chosen if places[place][0] == node]
        requests = np.array([places[place][2] for place in members], dtype=np.int64)
        instance, padded = network.instance(node, requests), max((places[p][1] for p in members), default=1)
        used = loads(
            instance, np.arange(requests.size), padded, float(instance.deadline_s.min(initial=np.inf))
        )
        if not fits(used.sum(axis=1), 1.0).all():
            wrong.append(members)
    return wrong
