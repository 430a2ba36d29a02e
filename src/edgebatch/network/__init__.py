"""Several edge nodes: each request is served by one of them at most."""

from __future__ import annotations

from edgebatch.errors import InputError, one_of
from edgebatch.network import methods
from edgebatch.network.checker import check_network
from edgebatch.network.problem import OUT_OF_REACH, Network, NetworkSchedule, Node

__all__ = ["OUT_OF_REACH", "Network", "NetworkSchedule", "Node", "check_network", "solve_network"]


def solve_network(
    network: Network, method: str = "joint", *, bound: bool = True, **options: object
) -> NetworkSchedule:
    """Schedule one epoch of several nodes: serve as many requests, or as much weight, as they can.

    Parameters
    ----------
    method
        Name of a method of `edgebatch.network.methods`.
    bound
        Whether to prove an upper bound where the method itself has none but the weight of all requests.
    options
        Options of that method; those not given have the defaults of its signature.

    Returns
    -------
    NetworkSchedule
        The batch of each node, and a proven bound on their weight; `check_network` recomputes what they use.

    Raises
    ------
    InputError
        For an unknown method or option.
    """
    known = methods.options(method)
    for name in options:
        if name not in known:
            raise InputError(f"method.{name}", "an unknown option", one_of(name, known))
    found = methods.get(method)(network, **options)
    if not bound or methods.proves(method):
        return found
    from edgebatch.network.search.bound import upper_bound

    return NetworkSchedule(found.batches, found.weight, upper_bound(network, found))
