"""Decisions about who enters a node of continuous batching, and what such a decision knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.system import System
from edgebatch.serving.limits import Limits
from edgebatch.serving.step_time import StepTime

RETRY_S = 0.2
"""Time after which those who wait are considered again, though nobody has arrived or ended."""


class Load(NamedTuple):
    """A request that has entered and is not done: what it holds and what it has got.

    Attributes
    ----------
    request
        Its index.
    prompt_left
        Prompt tokens that are not yet taken.
    context_tokens
        Tokens that its next output token reads.
    done
        Output tokens that it has got.
    """

    request: int
    prompt_left: int
    context_tokens: int
    done: int


class Entered(NamedTuple):
    """All requests that have entered, as far as the node knows them; arrays of shape (requests,).

    Attributes
    ----------
    prompt_left, context_tokens
        As in `Load`.
    output_left
        Output tokens that are still expected, at least 1.
    deadline_s
        Time left until the last token has to be there.
    """

    prompt_left: NDArray[np.int64]
    context_tokens: NDArray[np.int64]
    output_left: NDArray[np.int64]
    deadline_s: NDArray[np.float64]


class Waiting(NamedTuple):
    """Requests that may enter now; arrays of shape (requests,).

    Attributes
    ----------
    prompt_tokens, output_tokens
        Lengths; of the output, what is expected.
    deadline_s
        Time left at the node until the last token has to be there.
    uplink_share
        Least share of the uplink slot; 0 without a radio.
    enters_in_s
        Time until who is let in is at the node.
    """

    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    deadline_s: NDArray[np.float64]
    uplink_share: NDArray[np.float64]
    enters_in_s: float


@dataclass(frozen=True)
class Arrivals:
    """What a gate knows of all requests; arrays of shape (requests,).

    Attributes
    ----------
    arrival_s
        Rising.
    deadline_s
        When the last token has to be there.
    uplink_share
        Shares of uplink slots over the epochs after the arrival, shape (requests, epochs); None without a
        radio.
    slot_s, epoch_s
        Length of an uplink slot and of an epoch.
    """

    arrival_s: NDArray[np.float64]
    prompt_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]
    deadline_s: NDArray[np.float64]
    uplink_share: NDArray[np.float64] | None = None
    slot_s: float = 0.0
    epoch_s: float = 1.0


class Gate:
    """Lets requests in that a policy admits; the others wait until their requirement cannot be met.

    It decides when somebody has arrived or ended, and from time to time. With a radio it does so at the start
    of the next uplink slot, and requests enter at the end of that slot.
    """

    def __init__(
        self, system: System, limits: Limits, admit: Callable[..., NDArray[Any]], arrivals: Arrivals
    ) -> None:
        self._times, self._admit, self._arrivals = StepTime(system), admit, arrivals
        self._capacity, self._limits = limits.capacity(system), limits
        self._alone_s = system.alone_s(arrivals.prompt_tokens, arrivals.output_tokens)
        self._waiting = np.empty(0, np.int64)
        self._seen, self._ended, self._slot, self._decided_s = 0, 0, 0, 0.0
        self._carried: list[float] = []

    @property
    def uplink_load(self) -> float:
        """Mean share of the uplink slots that carry somebody; 0 if none does."""
        return float(np.mean(self._carried)) if self._carried else 0.0

    def next_s(self, now_s: float, ended: int) -> float:
        """When the next decision is due; inf if none will be."""
        known = self._arrivals
        pending = self._seen < known.arrival_s.size
        arrival_s = float(known.arrival_s[self._seen]) if pending else math.inf
        due_s = arrival_s
        if self._waiting.size:
            due_s = min(due_s, now_s if ended != self._ended else self._decided_s + RETRY_S)
        if known.uplink_share is None or due_s == math.inf:
            return due_s
        return max(self._slot, math.ceil(due_s / known.slot_s)) * known.slot_s

    def decide(self, now_s: float, ended: int, loads: Sequence[Load]) -> list[tuple[int, float]]:
        """Who enters, and when."""
        known, begin_s = self._arrivals, now_s
        if known.uplink_share is not None:
            begin_s = self.next_s(now_s, ended)
            self._slot = round(begin_s / known.slot_s) + 1
        # a step may have gone on beyond the slot
        entry_s = max(now_s, begin_s + (0.0 if known.uplink_share is None else known.slot_s))
        seen = int(np.searchsorted(known.arrival_s, begin_s, side="right"))
        at_hand = np.concatenate((self._waiting, np.arange(self._seen, seen)))
        self._seen, self._ended, self._decided_s = seen, ended, begin_s
        at_hand = at_hand[known.deadline_s[at_hand] - entry_s >= self._alone_s[at_hand]]
        if at_hand.size == 0:
            self._waiting = at_hand
            return []
        waiting = Waiting(
            known.prompt_tokens[at_hand],
            known.output_tokens[at_hand],
            known.deadline_s[at_hand] - entry_s,
            self._shares(at_hand, begin_s),
            entry_s - now_s,
        )
        entering = self._admit(
            self._times, self._limits, self._capacity, self._entered(loads, now_s), waiting
        )
        self._waiting = np.delete(at_hand, entering)
        if entering.size:
            self._carried.append(float(waiting.uplink_share[entering].sum()))
        return [(index, entry_s) for index in at_hand[entering].tolist()]

    def _shares(self, requests: NDArray[np.int64], begin_s: float) -> NDArray[np.float64]:
        known = self._arrivals
        if known.uplink_share is None:
            return np.zeros(requests.size)
        since = np.floor_divide(begin_s, known.epoch_s) - np.floor_divide(
            known.arrival_s[requests], known.epoch_s
        )
        column = np.clip(since.astype(np.int64), 0, known.uplink_share.shape[1] - 1)
        return known.uplink_share[requests, column]

    def _entered(self, loads: Sequence[Load], now_s: float) -> Entered:
        index, prompt_left, context, done = np.array(loads, np.int64).reshape(-1, 4).T
        known = self._arrivals
        left = np.maximum(known.output_tokens[index] - done, 1)
        return Entered(prompt_left, context, left, known.deadline_s[index] - now_s)
