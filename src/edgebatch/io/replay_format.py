"""File format edgebatch-replay/1: requests over time for a node of continuous batching, and the answer."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from edgebatch.errors import InputError
from edgebatch.io.instance_format import read_cost
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.io.request_table import ALLOWED, NEEDED, parse_requests, trace_of
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.model.trace import Trace
from edgebatch.schema import Checked, choice, describe, read
from edgebatch.serving.limits import Limits
from edgebatch.serving.replay import UNLIMITED_S, Replay
from edgebatch.serving.step_time import StepTime

FORMAT = "edgebatch-replay/1"


class _File(Checked):
    format: str = choice(FORMAT)
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    cost: Any
    serving: Limits
    requests: Any


@dataclasses.dataclass(frozen=True)
class ReplayFile:
    """A node of continuous batching, and the requests that it is to serve."""

    system: System
    limits: Limits
    trace: Trace


def parse_replay(text: str, where: str, folder: Path) -> ReplayFile:
    """Read what `text` describes.

    Parameters
    ----------
    where
        Name of the file that the text comes from, for errors.
    folder
        Where a CSV of requests lies that the text names.

    Raises
    ------
    InputError
        Naming the file, the key or row and column, what was found and what is expected.
    """
    try:
        file = read(_File, parse_json(text))
        # no radio: the slots of an epoch play no part
        system = System(
            Slots(1, 1, 1), file.llm, file.quantization, file.edge_node, cost=read_cost(file.cost)
        )
        StepTime(system)  # refuses a model that takes its prompts as a whole
        if not isinstance(file.requests, str):
            return ReplayFile(system, file.serving, _listed(file.requests))
        path = folder / file.requests
    except InputError as error:
        raise error.at(where) from None
    return ReplayFile(system, file.serving, parse_requests(read_text(path), str(path)))


def _listed(requests: object) -> Trace:
    """The requests of a list of objects."""
    if not isinstance(requests, list):
        raise InputError("requests", describe(requests), "a list of requests, or the name of a CSV file")
    if not requests:
        raise InputError("requests", "an empty list", "a request")
    columns: dict[str, list[float]] = {name: [] for name in ALLOWED}
    for index, request in enumerate(requests):
        at = f"requests[{index}]"
        if not isinstance(request, dict):
            raise InputError(at, describe(request), "a mapping with " + ", ".join(ALLOWED))
        for name in request:
            if name not in ALLOWED:
                raise InputError(f"{at}.{name}", "an unknown key", "one of " + ", ".join(ALLOWED))
        for name, allowed in ALLOWED.items():
            if name not in request and name not in NEEDED:
                columns[name].append(UNLIMITED_S)
                continue
            if request.get(name) not in allowed:
                raise InputError(f"{at}.{name}", describe(request.get(name)), str(allowed))
            columns[name].append(request[name])
        arrivals = columns["arrival_s"][-2:]
        if arrivals[0] > arrivals[-1]:
            raise InputError(f"{at}.arrival_s", arrivals[-1], f"at least {arrivals[0]:g}, as before it")
    return trace_of(dict(columns))


def replay_answer(file: ReplayFile, outcome: Replay, policy: str) -> dict[str, Any]:
    """The answer to a replay, in the keys of the format."""
    timeline, service = outcome.timeline, outcome.service
    columns = {
        "first_token_s": timeline.first_token_s,
        "last_token_s": timeline.last_token_s,
        "ttft_s": service.ttft_s,
        "tpot_s": service.tpot_s,
        "latency_s": service.latency_s,
    }
    capacity = file.limits.capacity(file.system)
    requests: list[dict[str, Any]] = []
    for index in range(file.trace.arrival_s.size):
        times = {name: float(values[index]) for name, values in columns.items()}
        request: dict[str, Any] = {name: None if np.isnan(at) else at for name, at in times.items()}
        if service.turned_away[index]:
            tokens = int(file.trace.prompt_tokens[index] + file.trace.output_tokens[index]) - 1
            request["turned_away"] = (
                f"needs {tokens} tokens of KV cache, which has room for {capacity}"
                if tokens > capacity
                else "latency_s cannot be kept beside the other requests"
            )
        requests.append(request)
    summary: dict[str, Any] = {
        "requests": len(requests),
        "turned_away": int(service.turned_away.sum()),
        "preemptions": int(timeline.preemptions.sum()),
        **outcome.summary(),
    }
    return {"policy": policy, "requests": requests, "summary": summary}


def replay_table(answer: dict[str, Any]) -> str:
    """The summary of an answer as a table for a terminal, and who was turned away."""
    lines = [f"{'policy':<19}{answer['policy']}"]
    lines += [f"{name:<19}{value:.4g}" for name, value in answer["summary"].items()]
    away = [
        f"request {i}: {r['turned_away']}" for i, r in enumerate(answer["requests"]) if "turned_away" in r
    ]
    more = [f"... and {len(away) - 5} more"] if len(away) > 5 else []
    return "\n".join([*lines, *away[:5], *more])
