"""Continuous batching: requests join and leave a batch between two steps (Orca, vLLM).

Each step gives a token to every running request and takes prompt tokens up to a budget, in chunks. A
request joins while the KV cache holds its prompt. Where the next tokens do not fit, the newest request is
preempted: it keeps its output, loses its cache, and is taken again as a longer prompt. Steps between two
events, in which nobody joins or leaves, are priced in one go, exactly.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgebatch.model.system import System
from edgebatch.serving.admission import Gate, Load
from edgebatch.serving.limits import Limits
from edgebatch.serving.step_time import Chunk, StepTime


@dataclass(frozen=True)
class Timeline:
    """When each request was served, in seconds from the same origin as the arrivals; NaN if turned away.

    Attributes
    ----------
    joined_s, first_token_s, last_token_s
        When it first joined the batch, and got its first and its last token, shape (requests,).
    preemptions
        How often each request lost its cache, shape (requests,).
    busy_s
        Time in which the node computes.
    cached_tokens
        Mean number of tokens in the cache during that time.
    end_s
        When the last step ended.
    """

    joined_s: NDArray[np.float64]
    first_token_s: NDArray[np.float64]
    last_token_s: NDArray[np.float64]
    preemptions: NDArray[np.int64]
    busy_s: float
    cached_tokens: float
    end_s: float

    def turned_away(self) -> NDArray[np.bool_]:
        """Which requests could not be served at all, shape (requests,)."""
        return np.isnan(self.last_token_s)


class _Running:
    """A request in the batch. `finish_step` counts steps of the whole simulation."""

    __slots__ = ("done", "finish_step", "index", "prompt", "remaining")

    def __init__(self, index: int, prompt: int, remaining: int) -> None:
        self.index, self.prompt, self.remaining = index, prompt, remaining
        self.done = 0
        self.finish_step = -1


def simulate_continuous(
    system: System,
    arrival_s: NDArray[np.float64],
    prompt_tokens: NDArray[np.int64],
    output_tokens: NDArray[np.int64],
    priority: NDArray[np.float64],
    limits: Limits,
    gate: Gate | None = None,
) -> Timeline:
    """Serve requests by continuous batching.

    Parameters
    ----------
    arrival_s
        When each request is at the node, rising, shape (requests,).
    prompt_tokens, output_tokens
        Lengths, shape (requests,).
    priority
        The waiting request of least priority joins first, shape (requests,); `edgebatch.serving.policies`.
    gate
        Decides who enters and when, in place of the arrivals.

    Notes
    -----
    A request whose prompt and output exceed the cache is turned away. The first of those that wait does not
    let others pass.
    """
    return _Engine(system, arrival_s, prompt_tokens, output_tokens, priority, limits, gate).run()


class _Engine:
    """The state of a simulation between two steps."""

    def __init__(
        self,
        system: System,
        arrival_s: NDArray[np.float64],
        prompt_tokens: NDArray[np.int64],
        output_tokens: NDArray[np.int64],
        priority: NDArray[np.float64],
        limits: Limits,
        gate: Gate | None,
    ) -> None:
        size = arrival_s.size
        self._times, self._limits, self._gate = StepTime(system), limits, gate
        self._capacity = limits.capacity(system)
        self._priority = priority.tolist()
        self._prompts, self._outputs = prompt_tokens.tolist(), output_tokens.tolist()
        self._now_s, self._steps, self._ended = 0.0, 0, 0
        self._busy_s, self._token_s = 0.0, 0.0
        # (time, index) of those who enter, as a heap
        self._entries: list[tuple[float, int]] = []
        for index, entry_s in enumerate([] if gate else arrival_s.tolist()):
            if math.isfinite(entry_s) and self._holds(index):
                heapq.heappush(self._entries, (entry_s, index))
        # waiting: (priority, index); prompt and remaining output of those that were preempted
        self._waiting: list[tuple[float, int]] = []
        self._again: dict[int, tuple[int, int]] = {}
        # running, in the order in which they joined; those in prefill are the last
        self._decoding: dict[int, _Running] = {}
        self._prefilling: dict[int, _Running] = {}
        self._finishing: list[tuple[int, int]] = []
        # tokens that the next step of those in decode reads, and that those in prefill hold or will hold
        self._context, self._reserved = 0, 0
        self._joined = np.full(size, np.nan)
        self._first, self._last = np.full(size, np.nan), np.full(size, np.nan)
        self._preemptions = np.zeros(size, np.int64)

    def run(self) -> Timeline:
        """Take steps until nobody is left."""
        while True:
            self._enter()
            if not (self._waiting or self._decoding or self._prefilling):
                next_s = self._next_event_s()
                if next_s == math.inf:
                    return self._timeline()
                self._now_s = max(self._now_s, next_s)
                continue
            self._make_room()
            self._admit()
            if self._prefilling:
                self._mixed_step()
            else:
                self._decode_steps()

    def _timeline(self) -> Timeline:
        cached = self._token_s / self._busy_s if self._busy_s else 0.0
        return Timeline(
            self._joined, self._first, self._last, self._preemptions, self._busy_s, cached, self._now_s
        )

    def _pass(self, step_s: float, cached_tokens: float) -> None:
        """Let time pass in which the node computes."""
        self._now_s += step_s
        self._busy_s += step_s
        self._token_s += step_s * cached_tokens

    def _holds(self, index: int) -> bool:
        """Whether the cache could ever hold the request."""
        return self._prompts[index] + self._outputs[index] - 1 <= self._capacity

    def _next_event_s(self) -> float:
        """When somebody may enter next; inf if nobody will."""
        decision_s = self._gate.next_s(self._now_s, self._ended) if self._gate else math.inf
        return min(decision_s, self._entries[0][0] if self._entries else math.inf)

    def _enter(self) -> None:
        """Decide what is due, and put requests that have entered into the queue."""
        while self._gate and self._gate.next_s(self._now_s, self._ended) <= self._now_s:
            for index, entry_s in self._gate.decide(self._now_s, self._ended, self._load()):
                if self._holds(index):
                    heapq.heappush(self._entries, (entry_s, index))
        while self._entries and self._entries[0][0] <= self._now_s:
            _, index = heapq.heappop(self._entries)
            heapq.heappush(self._waiting, (self._priority[index], index))

    def _load(self) -> list[Load]:
        """What is left to do of every request that has entered."""
        loads = [
            Load(r.index, 0, r.prompt + r.remaining - (r.finish_step - self._steps), self._done(r))
            for r in self._decoding.values()
        ]
        loads += [
            Load(r.index, r.prompt - r.done, r.prompt, self._outputs[r.index] - r.remaining)
            for r in self._prefilling.values()
        ]
        for index in [i for _, i in self._waiting] + [i for _, i in self._entries]:
            prompt, left = self._again.get(index, (self._prompts[index], self._outputs[index]))
            loads.append(Load(index, prompt, prompt, self._outputs[index] - left))
        return loads

    def _done(self, request: _Running) -> int:
        """Output tokens that a request in decode has got."""
        return self._outputs[request.index] - (request.finish_step - self._steps)

    def _make_room(self) -> None:
        """Preempt the newest until the next step's tokens fit into the cache."""
        while self._context + self._reserved > self._capacity:
            among = self._prefilling or self._decoding
            index = next(reversed(among))
            request = among.pop(index)
            if request.finish_step < 0:
                self._reserved -= request.prompt
                left = request.remaining
                prompt = request.prompt
            else:
                left = request.finish_step - self._steps
                self._context -= request.prompt + request.remaining - left
                prompt = request.prompt + request.remaining - left
                self._finishing.remove((request.finish_step, index))
                heapq.heapify(self._finishing)
            self._again[index] = (prompt, left)
            self._preemptions[index] += 1
            heapq.heappush(self._waiting, (self._priority[index], index))

    def _admit(self) -> None:
        """Let waiting requests join, in order, while cache, sequences and this step's prompt tokens last."""
        budget = self._limits.max_step_tokens - len(self._decoding)
        budget -= sum(request.prompt - request.done for request in self._prefilling.values())
        while self._waiting and budget > 0:
            index = self._waiting[0][1]
            prompt, left = self._again.get(index, (self._prompts[index], self._outputs[index]))
            together = len(self._decoding) + len(self._prefilling)
            held = self._context + self._reserved
            if together >= self._limits.max_sequences or held + prompt > self._capacity:
                return
            heapq.heappop(self._waiting)
            self._again.pop(index, None)
            self._prefilling[index] = _Running(index, prompt, left)
            self._reserved += prompt
            budget -= prompt
            if np.isnan(self._joined[index]):
                self._joined[index] = self._now_s

    def _mixed_step(self) -> None:
        """One step with prompt tokens."""
        budget = max(1, self._limits.max_step_tokens - len(self._decoding))
        chunks, ended = [], []
        for request in self._prefilling.values():
            if budget == 0:
                break
            own = min(budget, request.prompt - request.done)
            last = request.done + own == request.prompt
            chunks.append(Chunk(request.done, own, last))
            request.done += own
            budget -= own
            if last:
                ended.append(request)
        step_s = self._times.step_s(len(self._decoding), self._context, chunks)
        self._pass(step_s, self._context + self._reserved)
        self._advance(1)
        for request in ended:
            del self._prefilling[request.index]
            self._reserved -= request.prompt
            if np.isnan(self._first[request.index]):
                self._first[request.index] = self._now_s
            request.remaining -= 1
            if request.remaining == 0:
                self._last[request.index] = self._now_s
                self._ended += 1
                continue
            # its next step puts the token in that it has just got
            request.prompt += 1
            request.finish_step = self._steps + request.remaining
            self._decoding[request.index] = request
            self._context += request.prompt
            heapq.heappush(self._finishing, (request.finish_step, request.index))

    def _decode_steps(self) -> None:
        """As many steps as pass until somebody finishes, arrives, or has no room."""
        live = len(self._decoding)
        most = self._finishing[0][0] - self._steps
        most = min(most, 1 + (self._capacity - self._context) // live)
        next_s = self._next_event_s()
        if next_s < math.inf:
            most = self._times.steps_until(live, self._context, most, next_s - self._now_s)
        mean = self._context + live * (most - 1) / 2
        self._pass(self._times.decode_s(live, self._context, most), mean)
        self._advance(most)

    def _advance(self, steps: int) -> None:
        """Give every request in decode `steps` tokens; those that are done leave."""
        self._steps += steps
        self._context += steps * len(self._decoding)
        while self._finishing and self._finishing[0][0] == self._steps:
            _, index = heapq.heappop(self._finishing)
            request = self._decoding.pop(index)
            self._context -= request.prompt + request.remaining
            self._last[index] = self._now_s
            self._ended += 1
