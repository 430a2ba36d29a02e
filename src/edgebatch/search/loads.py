"""Loads: the four costs of each request as shares of their budgets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import RELATIVE_TOLERANCE, Instance


def loads(
    instance: Instance,
    requests: NDArray[np.int64],
    padded_prompt_tokens: Any,
    deadline_s: Any,
    longest_output_tokens: int | None = None,
) -> NDArray[np.float64]:
    """Uplink, downlink, memory and compute time of `requests`, each divided by its budget.

    Parameters
    ----------
    requests
        Indices into the instance, shape (requests,).
    padded_prompt_tokens
        Padded prompt length, one for all requests or shape (requests,).
    deadline_s
        Budget of compute time, one for all requests or shape (requests,).
    longest_output_tokens
        Output length that every request is billed; None for its own.

    Returns
    -------
    numpy.ndarray
        Shape (4, requests). A batch is feasible only if no row of its loads sums to more than 1: budgets
        include the tolerance of the checker. The budget of memory is what the weights leave. The compute
        time counts arithmetic alone, which no cost model falls below. A budget of zero or less gives an
        infinite load to every request that costs anything.
    """
    system, slack = instance.system, 1 + RELATIVE_TOLERANCE
    outputs = instance.output_tokens[requests]
    if longest_output_tokens is not None:
        outputs = np.full_like(outputs, longest_output_tokens)
    lengths, place = _distinct(outputs, padded_prompt_tokens)
    padded = np.asarray(padded_prompt_tokens)
    # weights that nearly fill the memory leave little but rounding: a hair more, to lose no exact fit
    memory_bytes = system.edge_node.memory_bytes * (slack + 1e-15) - system.resident_bytes
    compute_s = system.work_flops(padded, lengths) * system.seconds_per_flop
    result = np.empty((4, requests.size))
    np.divide(instance.uplink_share[requests], slack, out=result[0])
    np.divide(instance.downlink_share[requests], slack, out=result[1])
    result[2] = _share(system.kv_bytes(padded, lengths), np.asarray(memory_bytes))[place]
    budget_s = np.multiply(deadline_s, slack)
    result[3] = (
        _share(compute_s, budget_s)[place] if budget_s.ndim == 0 else _share(compute_s[place], budget_s)
    )
    return result


def _distinct(
    output_tokens: NDArray[np.int64], padded_prompt_tokens: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64] | slice]:
    """Output lengths to price, and the place of each request among them.

    Where padding is common and lengths are few, each length is priced once, not once a request.
    """
    longest = int(output_tokens.max(initial=0))
    if np.ndim(padded_prompt_tokens) == 0 and longest < output_tokens.size:
        return np.arange(1, longest + 1), output_tokens - 1
    return output_tokens, slice(None)


def _share(cost: NDArray[np.float64], budget: NDArray[np.float64]) -> NDArray[np.float64]:
    """Costs divided by their budgets; a budget of zero or less holds only what costs nothing."""
    if budget.ndim == 0:
        return cost / budget if budget > 0 else np.where(cost > 0, np.inf, 0.0)
    without = np.where(cost > 0, np.inf, 0.0)
    return np.divide(cost, budget, out=without, where=budget > 0)
