"""One epoch of several edge nodes: who may be served where, and the schedule that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgebatch.errors import InputError
from edgebatch.model.system import System
from edgebatch.problem import Instance, fits

OUT_OF_REACH = np.inf
"""Share of a request at a node that it cannot reach."""

_OF_REQUESTS = ("prompt_tokens", "output_tokens", "latency_s", "waited_s", "accuracy", "weight")


@dataclass(frozen=True)
class Node:
    """An edge node of a network.

    Attributes
    ----------
    id
        Its name; no two nodes of a network share one.
    system
        Its slots, model, devices, cost model and padding.
    """

    id: str
    system: System


@dataclass(frozen=True)
class Network:
    """The nodes of a network and the candidates of one epoch, in order of arrival.

    Each request may be served by one node at most. Arrays may be given as lists.

    Attributes
    ----------
    nodes
        The nodes, each with bands, memory and devices of its own.
    prompt_tokens, output_tokens, latency_s, waited_s, accuracy, weight
        As of `edgebatch.Instance`, shape (requests,); all but the first may be one number.
    uplink_share, downlink_share
        Least share of each band of each node that moves the request's tokens, shape (nodes, requests); both
        `OUT_OF_REACH` (infinite) where the request cannot reach the node.
    ids
        Names of the requests; none, or one for each.

    Raises
    ------
    InputError
        For arrays of unequal shape, values out of range, nodes of one name, or no nodes.
    """

    nodes: tuple[Node, ...]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    latency_s: NDArray[np.float64]
    waited_s: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    uplink_share: NDArray[np.float64]
    downlink_share: NDArray[np.float64]
    weight: NDArray[np.float64] = 1.0  # type: ignore[assignment]
    ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.nodes:
            raise InputError("nodes", "none", "at least one node")
        names = [node.id for node in self.nodes]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise InputError(f"nodes[{index}].id", repr(name), "an id that no other node has")
        for name in ("uplink_share", "downlink_share"):
            object.__setattr__(self, name, self._shares(name, getattr(self, name)))
        apart = np.argwhere(np.isinf(self.uplink_share) != np.isinf(self.downlink_share))
        if apart.size:
            node, request = apart[0].tolist()
            raise InputError(
                f"downlink_share[{node}, {request}]",
                self.downlink_share[node, request].item(),
                "shares of both bands that are finite, or both infinite",
            )
        # an instance of no shares checks the columns of the requests, and reads them as arrays
        columns = {name: getattr(self, name) for name in _OF_REQUESTS}
        checked = Instance(self._plainest(), **columns, uplink_share=0.0, downlink_share=0.0, ids=self.ids)  # type: ignore[arg-type]
        for name in _OF_REQUESTS:
            object.__setattr__(self, name, getattr(checked, name))

    def __reduce__(self) -> tuple[type[Network], tuple[Any, ...]]:
        """Pickle and copy by the constructor: numpy would restore the arrays writable."""
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    @property
    def size(self) -> int:
        """Number of candidates."""
        return int(np.shape(self.prompt_tokens)[0])

    @cached_property
    def weighted(self) -> bool:
        """Whether some request has a weight other than 1."""
        return bool((self.weight != 1).any())

    def weight_of(self, requests: Sequence[int]) -> float:
        """Sum of the weights of some requests: their number, a whole number, where all weights are 1."""
        return float(self.weight[list(requests)].sum()) if self.weighted else len(requests)

    @cached_property
    def reach(self) -> tuple[NDArray[np.int64], ...]:
        """For each node, the requests that its bands, padding and model can take at all, rising."""
        reached = []
        for node, shares in zip(self.nodes, self.uplink_share, strict=True):
            able = np.isfinite(shares)
            if node.system.fixed_padding_tokens is not None:
                able &= self.prompt_tokens <= node.system.fixed_padding_tokens
            if node.system.llm.layers == 0:
                able &= self.output_tokens == 1
            reached.append(np.flatnonzero(able))
        return tuple(reached)

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """For each node, the requests within its reach as an epoch of that node alone."""
        return tuple(self.instance(node, requests) for node, requests in enumerate(self.reach))

    def instance(self, node: int, requests: NDArray[np.int64]) -> Instance:
        """Some requests, in that order, as an epoch of one node alone."""
        columns = {name: getattr(self, name)[requests] for name in _OF_REQUESTS}
        return Instance(
            self.nodes[node].system,
            **columns,
            uplink_share=self.uplink_share[node, requests],
            downlink_share=self.downlink_share[node, requests],
            ids=tuple(self.ids[i] for i in requests) if self.ids else (),
        )

    def _plainest(self) -> System:
        """A system of the network that takes any prompt, and any output as long as one of its models does."""
        decoding = [node.system for node in self.nodes if node.system.llm.layers > 0]
        system = (decoding or [self.nodes[0].system])[0]
        kept = {field.name: getattr(system, field.name) for field in fields(system)}
        return System(**kept | {"fixed_padding_tokens": None})

    def _shares(self, name: str, values: ArrayLike) -> NDArray[np.float64]:
        shares = np.array(values, dtype=np.float64)
        expected = len(self.nodes), int(np.size(self.prompt_tokens))
        if shares.shape != expected:
            raise InputError(name, f"shape {shares.shape}", f"shape {expected}, nodes and requests")
        wrong = np.argwhere(~(shares >= 0))
        if wrong.size:
            node, request = wrong[0].tolist()
            raise InputError(
                f"{name}[{node}, {request}]", shares[node, request].item(), "a number at least 0"
            )
        shares.setflags(write=False)
        return shares


@dataclass(frozen=True)
class NetworkSchedule:
    """Which node serves which requests, as indices into the network.

    Attributes
    ----------
    batches
        The batch of each node, in order of arrival, one for each node.
    weight
        Sum of the weights of all that are served; their number where all weights are 1.
    upper_bound
        No schedule weighs more.
    """

    batches: tuple[tuple[int, ...], ...]
    weight: float
    upper_bound: float

    @property
    def size(self) -> int:
        """Number of requests served."""
        return sum(map(len, self.batches))

    @property
    def optimal(self) -> bool:
        """Whether the weight is proven to be the largest."""
        return bool(fits(self.upper_bound, self.weight))
