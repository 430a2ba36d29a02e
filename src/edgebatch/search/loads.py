"""The four costs of each request as parts of their budgets, so that they can be added and compared."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.problem import RELATIVE_TOLERANCE, Instance


def loads(
    instance: Instance, requests: NDArray[np.int64], padded_prompt_tokens: Any, deadline_s: Any
) -> NDArray[np.float64]:
    """Uplink, downlink, memory and compute time of `requests`, each divided by its budget.

    Parameters
    ----------
    requests
        Indices into the instance, shape (requests,).
    padded_prompt_tokens, deadline_s
        Prompt length and budget of compute time at which they are priced; one for all, or one each.

    Returns
    -------
    numpy.ndarray
        Shape (4, requests). The budget of memory is what the weights leave. Budgets include the
        tolerance of the checker, so that a batch is feasible only if no row of its loads sums to
        more than 1. The compute time counts arithmetic alone, which no cost model falls below.
    """
    system, outputs = instance.system, instance.output_tokens[requests]
    slack = 1 + RELATIVE_TOLERANCE
    padded = np.broadcast_to(padded_prompt_tokens, requests.shape)
    costs = np.stack(
        [
            instance.uplink_share[requests],
            instance.downlink_share[requests],
            system.kv_bytes(padded, outputs),
            system.llm.request_flops(padded, outputs) * system.seconds_per_flop,
        ]
    )
    budgets = np.empty_like(costs)
    budgets[:2] = slack
    # weights that nearly fill the memory leave little but rounding: a hair more, to lose no exact fit
    budgets[2] = system.edge_node.memory_bytes * (slack + 1e-15) - system.weight_bytes
    budgets[3] = np.multiply(deadline_s, slack)
    # a budget of 0 holds what costs nothing
    return np.divide(costs, budgets, out=np.zeros_like(costs), where=budgets > 0)
