"""How long a step of continuous batching takes: prompt tokens and output tokens in one pass."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.roofline import reads_s
from edgebatch.model.system import System


class Chunk(NamedTuple):
    """A part of a prompt that one step takes.

    Attributes
    ----------
    done
        Tokens of the prompt before it.
    tokens
        Its own tokens.
    last
        Whether it ends the prompt, so that the step yields the first token.
    """

    done: int
    tokens: int
    last: bool


class StepTime:
    """Prices of steps on a node, in seconds.

    A step takes the longer of its arithmetic and its memory traffic, and a constant. A prompt in one chunk,
    and output tokens one by one, take what equation (4) of paper/main.tex has for a batch of one.

    Raises
    ------
    InputError
        For a model with an encoder, which takes its prompt as a whole.
    """

    def __init__(self, system: System) -> None:
        llm = system.llm
        if llm.encoder_layers:
            raise InputError("llm.encoder_layers", llm.encoder_layers, "0: prompts are taken in chunks")
        self._pace = system.pace
        self._prefill_s_per_flop = system.seconds_per_flop
        self._read_s = float(system.kv_bytes(0, 1)) * system.seconds_per_byte
        self._context_s = self._pace.context_s + self._read_s
        output_flops = 2 * llm.vocabulary * llm.hidden_size
        self._output_s = output_flops * self._prefill_s_per_flop
        # prompt tokens cost a linear and a square term: two values of the polynomial give both
        one, two = system.prefill_flops(1) - output_flops, system.prefill_flops(2) - output_flops
        self._square_s = (two - 2 * one) / 2 * self._prefill_s_per_flop
        self._linear_s = one * self._prefill_s_per_flop - self._square_s

    def step_s(self, live: int, context_tokens: int, chunks: list[Chunk]) -> float:
        """Time of a step.

        Parameters
        ----------
        live
            Requests that get their next output token.
        context_tokens
            Tokens in the cache of all of these together, the one that they put in included.
        chunks
            Parts of prompts that the step takes.
        """
        pace = self._pace
        arithmetic_s = live * pace.token_s + context_tokens * self._context_s
        traffic_s, tokens = context_tokens * self._read_s, live
        for done, own, last in chunks:
            after = done + own
            arithmetic_s += own * self._linear_s + (after * after - done * done) * self._square_s
            arithmetic_s += self._output_s if last else 0.0
            traffic_s += after * self._read_s
            tokens += own
        traffic_s += float(reads_s(pace.decode_reads, tokens))
        return max(arithmetic_s, traffic_s) + pace.decode_overhead_s

    def decode_s(self, live: int, context_tokens: int, steps: int) -> float:
        """Time of `steps` steps in which `live` requests get a token each and nothing else happens.

        The contexts grow by one token a request and step, so that waits for memory are an arithmetic series.
        """
        pace = self._pace
        slope = live * pace.context_s
        series = steps * context_tokens + live * (steps * (steps - 1) // 2)
        arithmetic_s = steps * live * pace.token_s + series * self._context_s
        start = (
            float(reads_s(pace.decode_reads, live)) - live * pace.token_s - context_tokens * pace.context_s
        )
        top, steep = max(start, start - (steps - 1) * slope), abs(slope)
        wait_s = 0.0
        if top > 0:
            waits = steps if top >= steps * steep else math.ceil(top / steep)
            wait_s = waits * (top - (waits - 1) * steep / 2)
        return arithmetic_s + wait_s + steps * pace.decode_overhead_s

    def decode_step_s(self, live: Any, context_tokens: Any) -> Any:
        """Time of a step without prompts, as `step_s` has it, for arrays."""
        pace = self._pace
        arithmetic_s = live * pace.token_s + context_tokens * self._context_s
        traffic_s = reads_s(pace.decode_reads, live) + context_tokens * self._read_s
        return np.maximum(arithmetic_s, traffic_s) + pace.decode_overhead_s

    def beside_chunk_s(self, live: int, context_tokens: int, prompt_tokens: int) -> float:
        """Time of a step that takes so many prompt tokens, beyond their arithmetic."""
        pace = self._pace
        arithmetic_s = live * pace.token_s + context_tokens * self._context_s
        traffic_s = float(reads_s(pace.decode_reads, live + prompt_tokens)) + context_tokens * self._read_s
        beyond_s = max(arithmetic_s, traffic_s - prompt_tokens * self._linear_s)
        return beyond_s + pace.decode_overhead_s

    def prompt_s(self, prompt_tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        """Time that prompts in one chunk add to any step, weights left out, shape (requests,)."""
        tokens = prompt_tokens.astype(np.float64)
        arithmetic_s = tokens * (self._linear_s + tokens * self._square_s) + self._output_s
        return np.maximum(arithmetic_s, tokens * self._read_s)

    def tokens_s(
        self, prompt_tokens: NDArray[np.int64], output_tokens: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Time that the output tokens after the first add to their steps at most, shape (requests,).

        Each adds the longer of its arithmetic and its traffic, which is convex in the context, so that the
        mean of both ends bounds it.
        """
        pace = self._pace
        expert_s = pace.decode_reads.expert_s * (1 - pace.decode_reads.missed_by_token)
        first, last = (
            np.maximum(pace.token_s + context * self._context_s, context * self._read_s + expert_s)
            for context in (prompt_tokens + 1, prompt_tokens + output_tokens - 1)
        )
        return (output_tokens - 1) * (first + last) / 2

    def steps_until(self, live: int, context_tokens: int, most: int, until_s: float) -> int:
        """Number of steps after which `until_s` seconds have passed, at least 1 and at most `most`."""
        low, high = 1, most
        while low < high:
            middle = (low + high) // 2
            if self.decode_s(live, context_tokens, middle) >= until_s:
                high = middle
            else:
                low = middle + 1
        return low
