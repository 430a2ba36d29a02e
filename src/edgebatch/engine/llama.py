"""The engine: llama.cpp, through cyllama, as batches of token ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError

INSTALL = "it installed: make .venv/engine"

TOKENS_AT_ONCE = 512
"""Most tokens that the engine computes in one pass; a larger batch takes several."""


class Engine:
    """A model in memory, and caches for some sequences that it continues token by token.

    Parameters
    ----------
    path
        A GGUF file.
    sequences
        How many sequences there may be at once.
    context_tokens
        Tokens of each, prompt and output together.
    threads
        How many threads compute.

    Notes
    -----
    The same calls with the same build and as many threads give the same tokens. The last bits of logits depend
    on what else is in the batch.
    """

    def __init__(self, path: Path, sequences: int, context_tokens: int, threads: int) -> None:
        llama = bindings()
        self.sequences, self.context_tokens = sequences, context_tokens
        self._model = llama.LlamaModel(str(path), llama.LlamaModelParams())
        settings = llama.LlamaContextParams()
        settings.n_ctx = sequences * context_tokens
        settings.n_batch = sequences * context_tokens
        settings.n_ubatch = TOKENS_AT_ONCE
        settings.n_seq_max = sequences
        settings.n_threads = settings.n_threads_batch = threads
        settings.kv_unified = False  # each sequence reads its own cache alone, as the cost model has it
        self._context = llama.LlamaContext(self._model, settings, verbose=False)
        self._batch = llama.LlamaBatch(n_tokens=sequences * context_tokens, embd=0, n_seq_max=1)
        self._greedy = llama.LlamaSampler()
        self._greedy.add_greedy()
        self.vocabulary = self._model.get_vocab().n_vocab

    def clear(self) -> None:
        """Forget every sequence."""
        self._context.kv_cache_clear(True)

    def forget(self, sequence: int, beyond_tokens: int = 0) -> None:
        """Forget what a sequence holds beyond its first tokens."""
        self._context.memory_seq_rm(sequence, beyond_tokens, -1)

    def copy(self, source: int, target: int) -> None:
        """Let a sequence that holds nothing hold what another holds."""
        self._context.memory_seq_cp(source, target, -1, -1)

    def extend(self, parts: Sequence[Part]) -> list[int]:
        """Append tokens to sequences, all in one batch.

        Returns
        -------
        list of int
            The likeliest next token of each part that asks for one, in order.
        """
        batch, asked, place = self._batch, [], 0
        batch.reset()
        for part in parts:
            ends = len(part.tokens) - 1 if part.ask_at is None else part.ask_at
            for offset, token in enumerate(part.tokens):
                asks = offset == ends
                batch.add(token, part.position + offset, [part.sequence], asks)
                if asks:
                    asked.append(place)
                place += 1
        self._context.decode(batch)
        return [self._greedy.sample(self._context, index) for index in asked]
