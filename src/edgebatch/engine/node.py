"""The node of a replay: one engine with all threads for batches, and a process with one thread a device."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType

from edgebatch.engine.batch import run_batch
from edgebatch.engine.llama import Engine

Prompt = list[int]


class EngineNode:
    """Runs batches of requests whose prompts and lengths are known; see `edgebatch.engine.epochs.Node`."""

    def __init__(self, engine: Engine, prompts: Sequence[Prompt], output_tokens: Sequence[int]) -> None:
        self._engine, self._prompts, self._output_tokens = engine, prompts, output_tokens

    def run(self, groups: Sequence[Sequence[int]]) -> list[list[float]]:
        """Run each group as a batch; when each request had its last token."""
        return [self._batch(group) if group else [] for group in groups]

    def _batch(self, requests: Sequence[int]) -> list[float]:
        prompts = [self._prompts[i] for i in requests]
        return run_batch(self._engine, prompts, [self._output_tokens[i] for i in requests]).last_s


class DeviceNode:
    """A process a device, each with one thread and an engine of its own; `edgebatch.engine.epochs.Node`."""

    def __init__(
        self,
        path: Path,
        devices: int,
        context_tokens: int,
        prompts: Sequence[Prompt],
        output_tokens: Sequence[int],
    ) -> None:
        self._prompts, self._output_tokens = prompts, output_tokens
        started = multiprocessing.get_context("spawn")
        self._ends: list[Connection] = []
        self._processes = []
        for _ in range(devices):
            ours, theirs = started.Pipe()
            process = started.Process(target=_device, args=(path, context_tokens, theirs), daemon=True)
            process.start()
            self._ends.append(ours)
            self._processes.append(process)
        for end in self._ends:
            end.recv()  # it is ready

    def __enter__(self) -> DeviceNode:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        for end in self._ends:
            end.close()
        for process in self._processes:
            process.join()

    def run(self, queues: Sequence[Sequence[int]]) -> list[list[float]]:
        """Run a queue of requests on each device; when each had its last token."""
        start = time.perf_counter()
        for end, queue in zip(self._ends, queues, strict=False):
            end.send([(self._prompts[i], self._output_tokens[i]) for i in queue])
        # perf_counter is the same clock in all processes of a machine
        return [[moment - start for moment in end.recv()] for end, _ in zip(self._ends, queues, strict=False)]


def _device(path: Path, context_tokens: int, end: Connection) -> None:
    """Serve queues until the pipe is closed."""
    engine = Engine(path, 1, context_tokens, threads=1)
    end.send(None)
    while True:
        try:
            queue = end.recv()
        except EOFError:
            return
        ends = []
        for prompt, output_tokens in queue:
            run_batch(engine, [prompt], [output_tokens])
            ends.append(time.perf_counter())
        end.send(ends)
