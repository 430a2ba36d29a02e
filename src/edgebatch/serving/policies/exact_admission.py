"""Exact admission: at each decision the largest set of waiting requests that breaks nobody's requirement.

What a request adds to the time of everybody else is bounded from above: its own arithmetic or its own memory
traffic, whichever is longer in each step, and its part of the steps that take prompts. Time without it is
that of the requests that have entered already. A set then breaks no requirement if the sum of what it adds
is at most the least slack, of those that have entered and of its own. That is the problem of one epoch, and
the exact solver finds the largest set. Cache is kept free for whole outputs, so that nobody is preempted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.problem import Instance
from edgebatch.schedulers import surrogate
from edgebatch.serving.admission import Entered, Waiting
from edgebatch.serving.limits import Limits
from edgebatch.serving.step_time import StepTime

LONGEST_S = 1e9
"""Slack where there is nobody whose requirement could be broken."""

TICK_S = 1e-4
"""Unit of time of the problem that is solved; times are rounded up to it."""


def priority(
    arrival_s: NDArray[np.float64], output_tokens: NDArray[np.int64], latency_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """When each request has to be answered: those that are let in join in this order."""
    return arrival_s + latency_s


def admit(
    times: StepTime, limits: Limits, capacity: int, entered: Entered, waiting: Waiting
) -> NDArray[np.int64]:
    """Indices of the waiting requests that enter, shape (entering,)."""
    forecast = _Forecast(times, limits, entered)
    added_s = forecast.added_s(waiting)
    slack_s = waiting.deadline_s - forecast.after_s(waiting.output_tokens, waiting.enters_in_s)
    ends_s = forecast.after_s(entered.output_left)
    theirs_s = entered.deadline_s - ends_s
    # who is late at any rate is lost; a forecast alone, which is an upper bound, loses nobody
    lost = theirs_s + forecast.prompts_s < 0
    concerned = ~lost & (ends_s > waiting.enters_in_s)
    least_s = float(np.maximum(theirs_s[concerned], 0).min(initial=LONGEST_S))
    room = capacity - forecast.held_tokens
    tokens = waiting.prompt_tokens + waiting.output_tokens
    possible = np.flatnonzero(
        (added_s <= np.minimum(slack_s, least_s)) & (tokens <= room) & (waiting.uplink_share <= 1)
    )
    if possible.size == 0:
        return possible
    chosen = possible[
        _largest_set(
            added_s[possible],
            slack_s[possible],
            least_s,
            waiting.uplink_share[possible],
            tokens[possible] / room,
        )
    ]
    most = limits.max_sequences - entered.output_left.size
    # any part of a set that breaks no requirement breaks none
    return chosen[np.argsort(added_s[chosen], kind="stable")][: max(0, most)]


class _Forecast:
    """When requests would end if nobody entered, and what those that enter add to that.

    Attributes
    ----------
    held_tokens
        Most tokens that those who have entered will hold at once.
    prompts_s
        Time of the prompts that they still have to put in.
    """

    def __init__(self, times: StepTime, limits: Limits, entered: Entered) -> None:
        self._times = times
        order = np.argsort(entered.output_left, kind="stable")
        left, context = entered.output_left[order], entered.context_tokens[order]
        begin = np.concatenate(([0], left[:-1]))
        live = np.arange(left.size, 0, -1)
        tokens = np.cumsum(context[::-1])[::-1]
        # a step takes longer the longer its contexts, so that ends of an interval bound its mean
        first, last = (times.decode_step_s(live, tokens + live * at) for at in (begin, left))
        self._steps = np.concatenate(([0], left))
        self._at_s = np.concatenate(([0.0], np.cumsum((left - begin) * (first + last) / 2)))
        self._idle_s = float(times.decode_step_s(0, 0))
        self.held_tokens = int((tokens + live * left).max(initial=0))
        # steps that are full of prompt tokens hide most of what else they do
        held = (live.size, int(tokens[0])) if live.size else (0, 0)
        self._beside_s = times.beside_chunk_s(*held, limits.max_step_tokens) / limits.max_step_tokens
        prompts = entered.prompt_left[entered.prompt_left > 0]
        self.prompts_s = float(np.sum(times.prompt_s(prompts) + prompts * self._beside_s))

    def after_s(self, steps: NDArray[np.int64], begin_s: float = 0.0) -> NDArray[np.float64]:
        """Time from `begin_s` on until so many tokens more have been got, if nobody enters."""
        past = np.floor(np.interp(begin_s - self.prompts_s, self._at_s, self._steps))
        # who enters between two steps waits for the end of the first
        steps = steps + int(past) + (begin_s > 0)
        beyond_s = np.maximum(0, steps - self._steps[-1]) * self._idle_s
        until_s = self.prompts_s + np.interp(steps, self._steps, self._at_s) + beyond_s
        return np.maximum(0.0, until_s - begin_s) if past < self._steps[-1] else beyond_s

    def added_s(self, waiting: Waiting) -> NDArray[np.float64]:
        """Time that each request adds to that of any other at most."""
        prompts, outputs = waiting.prompt_tokens, waiting.output_tokens
        prompts_s = self._times.prompt_s(prompts) + prompts * self._beside_s
        return prompts_s + self._times.tokens_s(prompts, outputs)


_CLOCK = Llm(layers=1, hidden_size=1, ffn_size=10**9)
"""A model that takes the same time for every token, next to nothing for its context."""


def _largest_set(
    added_s: NDArray[np.float64],
    slack_s: NDArray[np.float64],
    least_s: float,
    uplink_share: NDArray[np.float64],
    memory_share: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Indices of a largest set whose sum of times is within every slack, and whose shares are within 1.

    As an epoch: times are outputs of a model whose tokens take a tick each, and memory takes the place of
    the downlink.
    """
    if added_s.sum() <= min(least_s, slack_s.min()) and max(uplink_share.sum(), memory_share.sum()) <= 1:
        return np.arange(added_s.size)
    instant_s = 1e-12
    system = System(
        Slots(instant_s, min(least_s, float(slack_s.max())), instant_s),
        _CLOCK,
        Quantization(16, 16, 1, 1),
        EdgeNode(_CLOCK.token_flops / TICK_S, 1e15, 1),
        fixed_padding_tokens=1,
    )
    ticks = np.ceil(added_s / TICK_S).astype(np.int64)
    instance = Instance(system, np.ones_like(ticks), ticks, slack_s, 0.0, 0.0, uplink_share, memory_share)  # type: ignore[arg-type]
    return np.array(surrogate.schedule(instance).selected, np.int64)
