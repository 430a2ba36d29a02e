"""A batch of an epoch on the engine: padded prompts, and then step by step to its last token."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from edgebatch.engine.llama import Engine, Part


class Answers(NamedTuple):
    """What a batch gave.

    Attributes
    ----------
    tokens
        Output tokens of each request.
    first_s, last_s
        When each had its first and its last token, in seconds after the start of the batch.
    """

    tokens: list[list[int]]
    first_s: list[float]
    last_s: list[float]


def run_batch(
    engine: Engine,
    prompts: Sequence[Sequence[int]],
    output_tokens: Sequence[int],
    clock: Callable[[], float] = time.perf_counter,
) -> Answers:
    """Run a batch.

    Prompts are padded behind their last token, and the padding is forgotten before the next step. No token
    before it attends to it, so that a request gets what it gets alone; its time is spent all the same. A
    request leaves with its last token.
    """
    engine.clear()
    padded = max(map(len, prompts))
    start = clock()
    padding = [[*prompt, *[prompt[-1]] * (padded - len(prompt))] for prompt in prompts]
    parts = [
        Part(i, 0, tokens, len(prompt) - 1)
        for i, (tokens, prompt) in enumerate(zip(padding, prompts, strict=True))
    ]
    answers = [[token] for token in engine.extend(parts)]
    first_s = [clock() - start] * len(prompts)
    last_s = list(first_s)
    for i, prompt in enumerate(prompts):
        engine.keep(i, len(prompt))
    while live := [i for i, answer in enumerate(answers) if len(answer) < output_tokens[i]]:
        parts = [Part(i, len(prompts[i]) + len(answers[i]) - 1, [answers[i][-1]], 0) for i in live]
        for i, token in zip(live, engine.extend(parts), strict=True):
            answers[i].append(token)
            last_s[i] = clock() - start
    return Answers(answers, first_s, last_s)
