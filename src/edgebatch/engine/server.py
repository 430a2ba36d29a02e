"""The continuous batching of llama.cpp's own server, through xllamacpp, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Sequence
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgebatch.engine.llama import INSTALL, TOKENS_AT_ONCE
from edgebatch.errors import InputError


class Room(NamedTuple):
    """What a server has: most requests that run at once, most tokens of each, and threads that compute."""

    sequences: int
    context_tokens: int
    threads: int


class Answer(NamedTuple):
    """When the last token of a request came, in seconds since the start, and the text of all."""

    last_s: float
    text: str


def run_server(
    path: Path,
    room: Room,
    entry_s: NDArray[np.float64],
    prompts: Sequence[Sequence[int]],
    output_tokens: Sequence[int],
    until_s: float,
) -> dict[int, Answer]:
    """Serve requests as they enter, in real time; what has not ended at `until_s` stays without an answer.

    Parameters
    ----------
    path
        A GGUF file.
    entry_s
        When each request is at the server, in seconds after the start; inf if never, shape (requests,).
    prompts, output_tokens
        Token ids of each prompt, and how many tokens each gets.

    Returns
    -------
    dict
        The answer of each request that has one, by its place.
    """
    if find_spec("xllamacpp") is None:
        raise InputError("xllamacpp", "no such package", INSTALL)
    if not path.is_file():
        raise InputError("", "no such file", "a GGUF file", str(path))
    order = [int(i) for i in np.argsort(entry_s, kind="stable") if entry_s[i] < until_s]
    jobs = [(i, float(entry_s[i]), list(prompts[i]), int(output_tokens[i])) for i in order]
    started = multiprocessing.get_context("spawn")
    ours, theirs = started.Pipe()
    process = started.Process(target=_serve, args=(str(path), room, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        failure = ours.recv()
        if failure:
            raise InputError("", failure, "a GGUF file that llama.cpp serves", str(path))
        ours.send(jobs)
        return _collected(ours, ours.recv(), len(jobs), until_s)
    except EOFError:
        raise InputError("", "no answer", "a GGUF file that llama.cpp serves", str(path)) from None
    finally:
        process.kill()
        process.join()


def _collected(end: Connection, start: float, jobs: int, until_s: float) -> dict[int, Answer]:
    """Answers as they come, until all are there or the time is over."""
    answers: dict[int, Answer] = {}
    while len(answers) < jobs and end.poll(max(0.0, start + until_s - time.perf_counter())):
        place, moment, answer = end.recv()
        if "choices" not in answer:
            raise InputError(f"request {place}", answer["error"]["message"], "one that llama.cpp serves")
        # perf_counter is the same clock in all processes of a machine
        if moment - start <= until_s:
            answers[place] = Answer(moment - start, answer["choices"][0]["text"])
    return answers


def _serve(path: str, room: Room, end: Connection) -> None:
    """Say that the server is ready, or why not; take the requests; send each answer with its moment."""
    try:
        server = _server(path, room)
    except RuntimeError as error:
        end.send(str(error).splitlines()[0])
        return
    end.send("")
    jobs = end.recv()
    sending, start = threading.Lock(), time.perf_counter()
    end.send(start)

    def ask(place: int, prompt: list[int], tokens: int) -> None:
        asked = {"prompt": prompt, "n_predict": tokens, "temperature": 0, "ignore_eos": True}
        answer = server.handle_completions(asked | {"cache_prompt": False})
        moment = time.perf_counter()
        with sending:
            end.send((place, moment, answer))

    asking = []
    for place, entry_s, prompt, tokens in jobs:
        time.sleep(max(0.0, start + entry_s - time.perf_counter()))
        asking.append(threading.Thread(target=ask, args=(place, prompt, tokens), daemon=True))
        asking[-1].start()
    for thread in asking:
        thread.join()


def _server(path: str, room: Room) -> Any:
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.n_parallel, settings.n_ctx = room.sequences, room.sequences * room.context_tokens
    settings.n_batch = settings.n_ubatch = TOKENS_AT_ONCE
    settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = room.threads
    settings.cache_ram_mib = 0  # no request begins as another does
    settings.verbosity = 0
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 2)  # the server speaks to the terminal itself
    return xllamacpp.Server(settings)
