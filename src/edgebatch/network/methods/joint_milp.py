"""All nodes in one mixed-integer program for HiGHS: an exact method, independent of the searches; slow."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_diag, csr_array, hstack, vstack

from edgebatch.network.problem import Network, NetworkSchedule
from edgebatch.schedulers._admission import admit_in_order
from edgebatch.schedulers._options import check_time_limit
from edgebatch.schedulers._scaled import Scaled, models_of, no_cheaper
from edgebatch.schedulers.milp import ROUNDING, UNIT, segment_rows, weight_unit

PROVES = True


class _Block(NamedTuple):
    """Batches of one node with one padded prompt length and billing.

    The variables are its requests, then whether each segment has a live request, the time of each segment,
    and whether the block is the one that the node uses.

    Attributes
    ----------
    requests
        Indices into the network, shape (requests,).
    rows
        Rows that are at most 0, shape (rows, variables).
    """

    node: int
    requests: NDArray[np.int64]
    segments: int
    rows: csr_array


Refused = tuple[int, NDArray[np.int64], int]
"""A node, requests of the network, and how many of these a batch of the node has at most."""


def schedule(network: Network, *, time_limit_s: float | None = None) -> NetworkSchedule:
    """Return the schedule of most weight, for models without experts.

    Each node uses one of its padded prompt lengths, and one of its longest outputs where that is billed.
    HiGHS does not tell weights apart that differ by less than a millionth of the mean weight.

    Parameters
    ----------
    time_limit_s
        Most seconds; after that, the best schedule so far and a proven upper bound. None for no limit.

    Raises
    ------
    InputError
        For a model with experts, or a bad time limit.
    """
    check_time_limit(time_limit_s)
    end_s = np.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    blocks = [
        _block(node, network.reach[node][model.requests], model)
        for node, instance in enumerate(network.instances)
        for model in models_of(instance)
        if model.requests.size
    ]
    best: tuple[tuple[int, ...], ...] = ((),) * len(network.nodes)
    bound = network.weight_of(range(network.size))
    refused: list[Refused] = []
    while blocks:
        left_s = end_s - time.perf_counter()
        if left_s <= 0:
            break
        batches, proven, ended = _solve(network, blocks, refused, left_s)
        bound = min(bound, proven)
        feasible = []
        for node, batch in enumerate(batches):
            instance, own = network.instances[node], np.searchsorted(network.reach[node], batch)
            fits = admit_in_order(instance, own.tolist()) == tuple(own.tolist())
            feasible.append(batch if fits else ())
            if not fits:
                dearer = network.reach[node][no_cheaper(instance, tuple(own.tolist()))]
                refused.append((node, dearer, len(batch) - 1))
        found = tuple(feasible)
        if network.weight_of(sum(found, ())) > network.weight_of(sum(best, ())):
            best = found
        if not ended or len(sum(found, ())) == len(sum(batches, ())):
            break
    weight = network.weight_of(sum(best, ()))
    if not blocks:
        bound = 0
    return NetworkSchedule(best, weight, max(weight, bound))


def _block(node: int, requests: NDArray[np.int64], model: Scaled) -> _Block:
    number, segments = requests.size, len(model.segments)
    budgets, others = model.budgets / UNIT, np.zeros((4, 2 * segments))
    loads = np.hstack((model.loads / UNIT, others, -budgets[:, None]))
    duration = loads[3].copy()
    if segments:
        duration[:number], duration[number + segments : -1] = 0.0, 1.0
    # the batch ends by the deadline of each request in it, and is empty unless the block is used
    deadlines, used = np.tile(duration, (number, 1)), np.zeros((number, duration.size))
    deadlines[:, :number] += np.diag((model.budgets[3] - model.deadlines) / UNIT)
    used[:, :number], used[:, -1] = np.eye(number), -1.0
    parts = [csr_array(loads), csr_array(duration[None]), csr_array(deadlines), csr_array(used)]
    if segments:
        rows = segment_rows(model.segments)
        parts.append(hstack([rows, csr_array((rows.shape[0], 1))]))
    return _Block(node, requests, segments, csr_array(vstack(parts)))


def _solve(
    network: Network, blocks: list[_Block], refused: list[Refused], limit_s: float
) -> tuple[tuple[tuple[int, ...], ...], float, bool]:
    """Batches of all nodes, an upper bound, and whether it was solved to its end."""
    unit, sizes = weight_unit(network.weight), [block.rows.shape[1] for block in blocks]
    starts = np.concatenate(([0], np.cumsum(sizes)))
    width = int(starts[-1])
    # request of each variable, node of each variable that uses a block, -1 for others
    request, node, whole, most = (
        np.full(width, -1),
        np.full(width, -1),
        np.ones(width),
        np.ones(width),
    )
    owner = np.repeat([block.node for block in blocks], sizes)
    for start, end, block in zip(starts[:-1], starts[1:], blocks, strict=True):
        request[start : start + block.requests.size] = block.requests
        node[end - 1] = block.node
        times = slice(end - 1 - block.segments, end - 1)
        whole[times], most[times] = 0.0, np.inf
    served = request >= 0
    once = csr_array(
        (np.ones(served.sum()), (request[served], np.flatnonzero(served))), shape=(network.size, width)
    )
    uses = csr_array(
        (np.ones((node >= 0).sum()), (node[node >= 0], np.flatnonzero(node >= 0))),
        shape=(len(network.nodes), width),
    )
    constraints = [
        LinearConstraint(csr_array(block_diag([block.rows for block in blocks])), ub=0.0),
        LinearConstraint(csr_array(vstack([once, uses])), ub=1.0),
    ]
    for place, those, at_most in refused:
        row = ((owner == place) & np.isin(request, those)).astype(np.float64)
        constraints.append(LinearConstraint(row, ub=at_most))
    objective = np.where(served, -network.weight[np.maximum(request, 0)] / unit, 0.0)
    options = {"mip_rel_gap": 0.0} | ({"time_limit": limit_s} if np.isfinite(limit_s) else {})
    result = milp(
        objective, integrality=whole, bounds=Bounds(0, most), constraints=constraints, options=options
    )
    chosen = served & (result.x > 0.5) if result.x is not None else np.zeros(width, np.bool_)
    batches = tuple(
        tuple(np.sort(request[chosen & (owner == place)]).tolist()) for place in range(len(network.nodes))
    )
    if result.status == 0:
        return batches, network.weight_of(sum(batches, ())), True
    bound = np.inf if result.mip_dual_bound is None else (ROUNDING - result.mip_dual_bound) * unit
    return batches, network.rounded(bound), False
