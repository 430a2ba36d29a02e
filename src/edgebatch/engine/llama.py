"""llama.cpp through cyllama: batches of token ids in, the likeliest next tokens out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from edgebatch.errors import InputError

INSTALL = "it installed: make engine"

TOKENS_AT_ONCE = 512
"""Most tokens that the engine computes in one pass; a larger batch takes several."""


class Part(NamedTuple):
    """Tokens that are appended to a sequence.

    Attributes
    ----------
    sequence
        Number of the sequence.
    position
        How many tokens it holds before.
    tokens
        Token ids.
    ask_at
        Index of the token after which the next one is asked for; None asks for none.
    """

    sequence: int
    position: int
    tokens: Sequence[int]
    ask_at: int | None


class Engine:
    """A model in memory, and sequences that it continues.

    Parameters
    ----------
    path
        A GGUF file.
    sequences
        How many sequences there may be at once.
    context_tokens
        Most tokens of each, prompt and output together.
    threads
        How many threads compute.
    cache_bits
        Bits of an entry of the KV cache, 16 or 32.

    Notes
    -----
    The same calls with the same build and as many threads give the same tokens. The last bits of the logits
    depend on what else is in the batch.

    Raises
    ------
    InputError
        If the engine is not installed, or cannot load the file.
    """

    def __init__(
        self, path: Path, sequences: int, context_tokens: int, threads: int, cache_bits: int = 16
    ) -> None:
        llama = bindings()
        tokens = sequences * context_tokens
        settings = llama.LlamaContextParams()
        settings.n_ctx = settings.n_batch = tokens
        settings.n_ubatch = TOKENS_AT_ONCE
        settings.n_seq_max = sequences
        settings.n_threads = settings.n_threads_batch = threads
        # each sequence reads its own cache alone, as in the cost model
        settings.kv_unified = False
        if cache_bits == 32:
            # llama.cpp's numbers of F32, and of no flash attention, which takes a cache of 16 bits
            settings.type_k = settings.type_v = settings.flash_attn_type = 0
        try:
            self._model = _model(llama, path)
            self._context = llama.LlamaContext(self._model, settings, verbose=False)
        except Exception as error:  # the bindings raise what they like
            raise InputError(
                "", str(error).splitlines()[0], "a GGUF file that llama.cpp loads", str(path)
            ) from None
        self._batch = llama.LlamaBatch(n_tokens=tokens, embd=0, n_seq_max=1)
        self._greedy = llama.LlamaSampler(llama.LlamaSamplerChainParams())
        self._greedy.add_greedy()
        self.vocabulary: int = self._model.n_vocab

    def close(self) -> None:
        """Free the memory."""
        self._batch.close()
        self._context.close()
        self._model.close()

    def clear(self) -> None:
        """Forget every sequence."""
        self._context.kv_cache_clear(True)

    def keep(self, sequence: int, tokens: int) -> None:
        """Forget what a sequence holds beyond its first `tokens` tokens."""
        self._context.memory_seq_rm(sequence, tokens, -1)

    def copy(self, source: int, target: int) -> None:
        """Let an empty sequence hold what another holds."""
        self._context.memory_seq_cp(source, target, -1, -1)

    def extend(self, parts: Sequence[Part]) -> list[int]:
        """Append tokens to sequences, all in one batch; the next token of each part that asks, in order."""
        self._decode(parts)
        return [self._greedy.sample(self._context, place) for place in _asked(parts)]

    def logits(self, part: Part) -> list[float]:
        """Append tokens to one sequence; the logits behind the token that is asked after, one a token id."""
        self._decode([part])
        found: list[float] = self._context.get_logits()
        return found

    def _decode(self, parts: Sequence[Part]) -> None:
        self._batch.reset()
        for part in parts:
            for offset, token in enumerate(part.tokens):
                self._batch.add(token, part.position + offset, [part.sequence], offset == part.ask_at)
        self._context.decode(self._batch)


def _model(llama: Any, path: Path) -> Any:
    """A model that knows its vocabulary's size, which cyllama 0.2.18 asks it for when logits are read."""

    class Model(llama.LlamaModel):  # type: ignore[misc]
        @property
        def n_vocab(self) -> int:
            return int(self.get_vocab().n_vocab)

    return Model(str(path), llama.LlamaModelParams())


def _asked(parts: Sequence[Part]) -> list[int]:
    """Places in the batch of the tokens that are asked after."""
    places, start = [], 0
    for part in parts:
        if part.ask_at is not None:
            places.append(start + part.ask_at)
        start += len(part.tokens)
    return places


def bindings() -> Any:
    """The bindings of llama.cpp, silent and with its back ends loaded."""
    try:
        from cyllama.llama import llama_cpp
    except ModuleNotFoundError:
        raise InputError("cyllama", "no such package", INSTALL) from None
    llama_cpp.disable_logging()
    llama_cpp.ggml_backend_load_all()
    return llama_cpp


def engine_version() -> str:
    """Versions of the bindings and of the engine behind them."""
    llama = bindings()
    return f"cyllama {version('cyllama')}, ggml {llama.ggml_version()} ({llama.ggml_commit()})"
