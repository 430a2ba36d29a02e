"""One epoch's scheduling problem: its candidates, and the schedule that answers it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgebatch.errors import InputError
from edgebatch.model.system import System
from edgebatch.schema import LARGEST_COUNT, describe

RELATIVE_TOLERANCE = 1e-9
"""A load fits a budget up to this share of the budget; the checker and every solver use it."""


def fits(load: Any, budget: Any) -> Any:
    """Whether `load` (scalar or array, any unit) is within `budget` of the same unit."""
    return load <= budget * (1 + RELATIVE_TOLERANCE)


_COLUMNS = {
    "prompt_tokens": (np.int64, "whole numbers at least 1", lambda a: a >= 1),
    "output_tokens": (np.int64, "whole numbers at least 1", lambda a: a >= 1),
    "latency_s": (np.float64, "numbers above 0", lambda a: a > 0),
    "waited_s": (np.float64, "numbers at least 0", lambda a: a >= 0),
    "accuracy": (np.float64, "numbers in [0, 1]", lambda a: (a >= 0) & (a <= 1)),
    "uplink_share": (np.float64, "numbers at least 0", lambda a: a >= 0),
    "downlink_share": (np.float64, "numbers at least 0", lambda a: a >= 0),
    "weight": (np.float64, "numbers above 0", lambda a: a > 0),
}


@dataclass(frozen=True)
class Instance:
    """The candidates of one epoch, in order of arrival; one entry of each array a request.

    Arrays may be given as lists, and all but the first as one number that holds for every request.

    Attributes
    ----------
    system
        The node that serves them.
    prompt_tokens, output_tokens
        Lengths s_i and n_i in tokens, shape (requests,).
    latency_s, waited_s
        Latency requirement tau_i, and the wait from arrival to the start of this epoch, w_i, in
        seconds, shape (requests,).
    accuracy
        Accuracy requirement a_i in [0, 1], shape (requests,).
    uplink_share, downlink_share
        Least share of each band that moves the request's tokens within the slot, u_i and v_i, shape
        (requests,); `edgebatch.model.radio.least_share` has them from bits, slot and rate.
    weight
        What it is worth to serve each request, above 0, shape (requests,). Schedulers maximize the sum over
        the batch, which is its size where all weights are 1.
    ids
        Names of the requests; none, or one for each.
    longest_prompt_tokens, longest_output_tokens
        Longest lengths that the service admits; those of the instance unless given.

    Raises
    ------
    InputError
        For arrays of unequal length, values out of range, or a prompt above a fixed padding.
    """

    system: System
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    latency_s: NDArray[np.float64]
    waited_s: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    uplink_share: NDArray[np.float64]
    downlink_share: NDArray[np.float64]
    ids: tuple[str, ...] = ()
    longest_prompt_tokens: int = 0
    longest_output_tokens: int = 0
    weight: NDArray[np.float64] = 1.0  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if np.ndim(self.prompt_tokens) == 0:
            raise InputError("prompt_tokens", describe(self.prompt_tokens), "an array, one value a request")
        for name, (kind, expected, valid) in _COLUMNS.items():
            values = getattr(self, name)
            if np.ndim(values) == 0:
                values = np.full(self.size, values)
            object.__setattr__(self, name, _column(name, values, kind, expected, valid))
            if getattr(self, name).shape != (self.size,):
                found = f"shape {getattr(self, name).shape}"
                raise InputError(name, found, f"one value for each of {self.size} requests")
        if self.ids and len(self.ids) != self.size:
            raise InputError("ids", f"{len(self.ids)} names", f"none, or {self.size}, one a request")
        longest = int(self.prompt_tokens.max(initial=1)), int(self.output_tokens.max(initial=1))
        for name, here in zip(("longest_prompt_tokens", "longest_output_tokens"), longest, strict=True):
            object.__setattr__(self, name, max(getattr(self, name), here))
        if self.system.llm.layers == 0 and longest[1] > 1:
            worst = int(self.output_tokens.argmax())
            raise InputError(f"requests[{worst}].output_tokens", longest[1], "1: the model has no decoder")
        fixed = self.system.fixed_padding_tokens
        if fixed is not None and longest[0] > fixed:
            worst = int(self.prompt_tokens.argmax())
            raise InputError(
                f"requests[{worst}].prompt_tokens", longest[0], f"at most the fixed padding, {fixed}"
            )

    def __reduce__(self) -> tuple[type[Instance], tuple[Any, ...]]:
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
        return math.fsum(self.weight[i] for i in requests) if self.weighted else len(requests)

    @cached_property
    def slack_s(self) -> NDArray[np.float64]:
        """Compute time that each request can bear: equation (2)."""
        slots = self.system.slots
        return _read_only(self.latency_s - self.waited_s - slots.uplink_s - slots.downlink_s)

    @cached_property
    def deadline_s(self) -> NDArray[np.float64]:
        """Compute time that a batch with the request in it can take: min(T_C, slack)."""
        return _read_only(np.minimum(self.system.slots.compute_s, self.slack_s))

    def padded(self, prompt_tokens: Any) -> Any:
        """Length that prompts of a batch whose longest is `prompt_tokens` are padded to."""
        fixed = self.system.fixed_padding_tokens
        return prompt_tokens if fixed is None else np.full_like(prompt_tokens, fixed)

    def alone_s(self) -> NDArray[np.float64]:
        """Compute time of each request if it were the whole batch."""
        alone_s: NDArray[np.float64] = self.system.alone_s(
            self.padded(self.prompt_tokens), self.output_tokens
        )
        return alone_s

    def accurate(self) -> NDArray[np.bool_]:
        """Which requests the quantized model is accurate enough for: constraint (13)."""
        return self.accuracy <= self.system.quantization.accuracy

    def servable(self) -> NDArray[np.bool_]:
        """Which requests meet every constraint as a batch of one; the others are in no batch."""
        memory = self.system.resident_bytes + self.system.kv_bytes(
            self.padded(self.prompt_tokens), self.output_tokens
        )
        return (
            self.accurate()
            & fits(self.alone_s(), self.deadline_s)
            & fits(memory, self.system.edge_node.memory_bytes)
            & fits(self.uplink_share, 1.0)
            & fits(self.downlink_share, 1.0)
        )


def _column(name: str, values: ArrayLike, kind: type, expected: str, valid: Any) -> NDArray[Any]:
    found = np.asarray(values)
    if found.size and found.dtype.kind not in ("iu" if kind is np.int64 else "iuf"):
        raise InputError(name, f"an array of {found.dtype}", expected)
    if kind is np.int64 and found.size and found.max() > LARGEST_COUNT:
        worst = int(found.argmax())
        raise InputError(f"{name}[{worst}]", describe(int(found[worst])), f"at most {LARGEST_COUNT}")
    array: NDArray[Any] = found.astype(kind)
    right = valid(array) & np.isfinite(array)
    if not right.all():
        wrong = int(np.argmin(right))
        raise InputError(f"{name}[{wrong}]", array[wrong].item(), expected)
    return _read_only(array)


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    array.setflags(write=False)
    return array


UNWEIGHTED = -1.0
"""Stands for a weight that is the number of requests."""


@dataclass(frozen=True)
class Schedule:
    """Which requests a scheduler serves in an epoch, as indices into the instance.

    Attributes
    ----------
    selected
        Served within all their requirements, in order of arrival.
    missed
        Run as well, but their latency requirement is missed; in order of arrival.
    device_queues
        One common batch if None. Otherwise requests run one by one, unpadded, each device at an
        equal part of the node's FLOPS: the queue of each device, in the order of service.
    upper_bound
        No schedule is larger than this; where requests have weights, none weighs more.
    nodes_visited
        Nodes of the search tree; 0 for a scheduler that does not search.
    node_limit_reached
        Whether the search was cut off, so that `nodes_visited` is a lower bound of its length.
    weight
        Sum of the weights of the selected; their number unless given.
    """

    selected: tuple[int, ...]
    missed: tuple[int, ...] = ()
    device_queues: tuple[tuple[int, ...], ...] | None = field(default=None, repr=False)
    upper_bound: float = 0
    nodes_visited: int = 0
    node_limit_reached: bool = False
    weight: float = UNWEIGHTED

    def __post_init__(self) -> None:
        if self.weight == UNWEIGHTED:
            object.__setattr__(self, "weight", len(self.selected))

    @property
    def size(self) -> int:
        """Number of requests served within all their requirements."""
        return len(self.selected)

    @property
    def optimal(self) -> bool:
        """Whether the weight, which is the size where all weights are 1, is proven to be the largest."""
        return bool(fits(self.upper_bound, self.weight))


COLUMNS = tuple(_COLUMNS)
"""Names of the per-request arrays of an `Instance`."""

assert set(COLUMNS) <= {f.name for f in fields(Instance)}
