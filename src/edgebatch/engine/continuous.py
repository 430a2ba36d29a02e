"""Continuous batching on the engine: requests join and leave between two steps, first come, first served."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edgebatch.engine.clock import Clock
from edgebatch.engine.llama import TOKENS_AT_ONCE, Engine, Part


def run_continuously(
    engine: Engine,
    entry_s: NDArray[np.float64],
    prompts: Sequence[Sequence[int]],
    output_tokens: Sequence[int],
    sequences: int,
    until_s: float,
    clock: Clock,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Serve requests as they enter.

    Each step takes a token of every running request, and whole prompts of those that join, while their tokens
    fit into one pass of the engine. What has not ended at `until_s` stays without an answer.

    Parameters
    ----------
    entry_s
        When each request is at the node; inf if never, shape (requests,).
    sequences
        Most requests that run at once.

    Returns
    -------
    first_s, last_s
        When each had its first and its last token; NaN if never, shape (requests,).
    """
    engine.clear()
    first_s, last_s = (np.full(entry_s.size, np.nan) for _ in range(2))
    coming = [int(i) for i in np.argsort(entry_s, kind="stable") if np.isfinite(entry_s[i])]
    free, running = list(range(sequences)), dict[int, int]()
    made = [0] * entry_s.size
    tokens = [0] * entry_s.size
    while (coming or running) and clock.now() < until_s:
        if not running:
            clock.sleep_until(min(until_s, float(entry_s[coming[0]])))
        taken = list(running)
        parts = [Part(running[i], len(prompts[i]) + made[i] - 1, [tokens[i]], 0) for i in taken]
        room = TOKENS_AT_ONCE - len(parts)
        while coming and free and entry_s[coming[0]] <= clock.now() and len(prompts[coming[0]]) <= room:
            i = coming.pop(0)
            running[i] = free.pop()
            room -= len(prompts[i])
            taken.append(i)
            parts.append(Part(running[i], 0, prompts[i], len(prompts[i]) - 1))
        if not parts:
            continue
        for i, token in zip(taken, engine.extend(parts), strict=True):
            tokens[i], made[i] = token, made[i] + 1
            if made[i] == 1:
                first_s[i] = clock.now()
            if made[i] == output_tokens[i]:
                last_s[i] = clock.now()
                engine.keep(running[i], 0)
                free.append(running.pop(i))
    return first_s, last_s
