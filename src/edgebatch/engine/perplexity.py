"""Perplexity on what a model says itself: answers drawn from its own distribution, and their likelihood."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from edgebatch.engine.llama import Engine, Part


def draw_answers(engine: Engine, sequences: int, tokens: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw answers token by token, each after a random first one, shape (sequences, tokens)."""
    answers = rng.integers(engine.vocabulary, size=(sequences, tokens))
    for answer in answers:
        engine.clear()
        for place in range(1, tokens):
            chances = np.exp(_log_likelihoods(engine, answer[place - 1], place - 1))
            answer[place] = rng.choice(chances.size, p=chances / chances.sum())
    return answers


def mean_nll(engine: Engine, answers: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean negative log-likelihood of all tokens of each answer but its first, shape (sequences,)."""
    means = []
    for answer in answers:
        engine.clear()
        found = [
            _log_likelihoods(engine, token, place)[after]
            for place, (token, after) in enumerate(pairwise(answer))
        ]
        means.append(-np.mean(found))
    return np.array(means)


def _log_likelihoods(engine: Engine, token: np.int64, position: int) -> NDArray[np.float64]:
    """Append a token to the only sequence; log-likelihoods of the next, shape (vocabulary,)."""
    logits = np.array(engine.logits(Part(0, position, [int(token)], 0)))
    logits -= logits.max()
    likely: NDArray[np.float64] = logits - np.log(np.exp(logits).sum())
    return likely
