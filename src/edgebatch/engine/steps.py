"""Times of single steps: the first stage of a batch, and later steps at a context."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import numpy as np

from edgebatch.engine.llama import Engine, Part

Clock = Callable[[], float]


def prefill_s(
    engine: Engine, batch: int, prompt_tokens: int, rng: np.random.Generator, clock: Clock = time.perf_counter
) -> float:
    """Time of the first stage of a batch of equal prompts of random tokens, up to the first token of each."""
    engine.clear()
    prompts = rng.integers(engine.vocabulary, size=(batch, prompt_tokens)).tolist()
    parts = [Part(i, 0, prompt, prompt_tokens - 1) for i, prompt in enumerate(prompts)]
    start = clock()
    engine.extend(parts)
    return clock() - start


def decode_steps_s(
    engine: Engine,
    batches: list[int],
    context_tokens: list[int],
    steps: int,
    rng: np.random.Generator,
    clock: Clock = time.perf_counter,
) -> Iterator[tuple[int, int, float]]:
    """Median time of some later steps, for each batch and each context that they begin at.

    One prompt is computed, as long as the longest context, and copied into the other sequences.

    Yields
    ------
    batch, context_tokens, seconds
        Contexts fall, batches rise.
    """
    engine.clear()
    prompt = rng.integers(engine.vocabulary, size=max(context_tokens)).tolist()
    engine.extend([Part(0, 0, prompt, None)])
    for context in sorted(context_tokens, reverse=True):
        engine.keep(0, context)
        for batch in sorted(batches):
            for sequence in range(1, batch):
                engine.keep(sequence, 0)
                engine.copy(0, sequence)
            times_s = []
            tokens = [prompt[0]] * batch
            for step in range(steps):
                parts = [Part(i, context + step, [token], 0) for i, token in enumerate(tokens)]
                start = clock()
                tokens = engine.extend(parts)
                times_s.append(clock() - start)
            engine.keep(0, context)
            yield batch, context, statistics.median(times_s)
