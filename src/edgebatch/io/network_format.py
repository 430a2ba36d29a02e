"""File format edgebatch-network/1: one epoch of several nodes as JSON, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError, one_of
from edgebatch.io.instance_format import NodeFields, refuse_double_ids, system_of
from edgebatch.io.json_text import parse_json
from edgebatch.network import OUT_OF_REACH, Network, NetworkSchedule, Node, check_network
from edgebatch.schema import Checked, Range, choice, describe, integer, read, real

FORMAT = "edgebatch-network/1"

SHARES = ("uplink_share", "downlink_share")
SHARE = Range(at_least=0)


class _Node(NodeFields):
    id: str = field(kw_only=True)


class _Request(Checked):
    id: str
    prompt_tokens: int = integer(at_least=1)
    output_tokens: int = integer(at_least=1)
    latency_s: float = real(above=0)
    waited_s: float = real(at_least=0)
    accuracy: float = real(at_least=0, at_most=1)
    uplink_share: dict[str, float]
    downlink_share: dict[str, float]
    weight: float = real(above=0, default=1.0)


class _File(Checked):
    format: str = choice(FORMAT)
    nodes: tuple[_Node, ...]
    requests: tuple[_Request, ...]


COLUMNS = ("prompt_tokens", "output_tokens", "latency_s", "waited_s", "accuracy", "weight")


def parse_network(text: str, where: str) -> Network:
    """Read the network in `text`.

    Parameters
    ----------
    where
        Name of the file that the text comes from, for errors.

    Raises
    ------
    InputError
        If the text holds no network; the error names `where`, the key and what is expected there.
    """
    try:
        return _network(read(_File, parse_json(text)))
    except InputError as error:
        raise error.at(where) from None


def _network(file: _File) -> Network:
    nodes: list[Node] = []
    for index, entry in enumerate(file.nodes):
        if entry.id in [node.id for node in nodes]:
            raise InputError(f"nodes[{index}].id", repr(entry.id), "an id that no other node has")
        try:
            nodes.append(Node(entry.id, system_of(entry)))
        except InputError as error:
            raise error.at(prefix=f"nodes[{index}]") from None
    refuse_double_ids([request.id for request in file.requests])
    uplink, downlink = _shares(file, [node.id for node in nodes])
    columns = {name: [getattr(request, name) for request in file.requests] for name in COLUMNS}
    ids = tuple(request.id for request in file.requests)
    return Network(tuple(nodes), **columns, uplink_share=uplink, downlink_share=downlink, ids=ids)  # type: ignore[arg-type]


def _shares(file: _File, nodes: list[str]) -> list[NDArray[np.float64]]:
    """Shares of both bands, shape (nodes, requests)."""
    for index, request in enumerate(file.requests):
        for name in SHARES:
            for node, share in getattr(request, name).items():
                if node not in nodes:
                    raise InputError(f"requests[{index}].{name}", repr(node), one_of(node, nodes))
                if share not in SHARE:
                    raise InputError(f"requests[{index}].{name}.{node}", describe(share), str(SHARE))
        apart = request.uplink_share.keys() ^ request.downlink_share.keys()
        if apart:
            missing = min(apart)
            name = SHARES[missing in request.uplink_share]
            raise InputError(
                f"requests[{index}].{name}.{missing}", "nothing", "a share: both name the same nodes"
            )
    named = {node for request in file.requests for node in request.uplink_share}
    for index, node in enumerate(nodes):
        if file.requests and node not in named:
            raise InputError(f"nodes[{index}]", f"no request with shares at {node!r}", "at least one")
    return [
        np.array(
            [[getattr(request, name).get(node, OUT_OF_REACH) for request in file.requests] for node in nodes]
        ).reshape(len(nodes), len(file.requests))
        for name in SHARES
    ]


def network_answer(
    network: Network, schedule: NetworkSchedule, method: str, solve_time_s: float
) -> dict[str, Any]:
    """Return the answer to a network, in the keys of the format.

    Raises
    ------
    InfeasibleSchedule
        If the schedule breaks a constraint: every load of every node is computed anew.
    """
    loads = check_network(network, schedule)
    names = [node.id for node in network.nodes]
    return {
        "method": method,
        "assigned": {
            name: [network.ids[i] for i in batch] for name, batch in zip(names, schedule.batches, strict=True)
        },
        "size": schedule.size,
        "weight": schedule.weight,
        "upper_bound": schedule.upper_bound,
        "optimal": schedule.optimal,
        "nodes": {
            name: {
                "padded_prompt_tokens": of.padded_prompt_tokens,
                "uplink_share": of.uplink_share,
                "downlink_share": of.downlink_share,
                "memory_bytes": of.memory_bytes,
                "compute_time_s": of.compute_time_s,
                "deadline_s": of.deadline_s,
            }
            for name, of in zip(names, loads, strict=True)
        },
        "solve_time_s": solve_time_s,
    }


def network_table(network: Network, answer: Mapping[str, Any]) -> str:
    """The answer as a table for a terminal: a row for each node."""
    proof = "proven the most" if answer["optimal"] else f"at most {answer['upper_bound']:g} possible"
    lines = [
        f"method     {answer['method']}",
        f"weight     {answer['weight']:g}, {answer['size']} of {network.size} requests, {proof}",
        f"solved in  {1e3 * answer['solve_time_s']:.3g} ms",
        "",
        f"{'node':<12}{'requests':>9}{'uplink':>9}{'downlink':>9}{'memory':>9}{'compute':>9}",
    ]
    for node in network.nodes:
        of = answer["nodes"][node.id]
        used = (
            of["uplink_share"],
            of["downlink_share"],
            of["memory_bytes"] / node.system.edge_node.memory_bytes,
            of["compute_time_s"] / of["deadline_s"] if of["deadline_s"] > 0 else 0.0,
        )
        cells = "".join(f"{100 * share:>7.1f} %" for share in used)
        lines.append(f"{node.id:<12}{len(answer['assigned'][node.id]):>9}{cells}")
    return "\n".join(lines)
