"""File format edgebatch-network/1: one epoch of several nodes as JSON, and the answer to it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgebatch.errors import InputError, one_line, one_of
from edgebatch.io.instance_format import FixedPadding, refuse_twice, system_of
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.system import EdgeNode, Slots
from edgebatch.network import OUT_OF_REACH, Network, NetworkSchedule, Node, check_network
from edgebatch.schema import Checked, Range, choice, describe, integer, read, real

FORMAT = "edgebatch-network/1"

_SHARE = Range(at_least=0)


class _Node(Checked):
    id: str
    slots: Slots
    padding: str | FixedPadding
    cost: Any
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    output_billing: str = choice("own", "batch_max", default="own")


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


def is_network(data: object) -> bool:
    """Whether JSON data says that it is a network, of whatever version."""
    return isinstance(data, Mapping) and str(data.get("format")).startswith(FORMAT.partition("/")[0])


def read_network(path: Path | str) -> Network:
    """Read the network in a file.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no network; the error names the file and the key.
    """
    path = Path(path)
    try:
        return network_of(parse_json(read_text(path)))
    except InputError as error:
        raise error.at(str(path)) from None


def network_of(data: object) -> Network:
    """The network in JSON data.

    Raises
    ------
    InputError
        If it is none; the error names the key and what is expected there.
    """
    file = read(_File, data)
    refuse_twice("nodes", [node.id for node in file.nodes], "an id that no other node has")
    refuse_twice("requests", [request.id for request in file.requests], "an id that no other request has")
    nodes = []
    for index, node in enumerate(file.nodes):
        try:
            nodes.append(Node(node.id, system_of(node)))
        except InputError as error:
            raise error.at(prefix=f"nodes[{index}]") from None
    columns = {
        name: [getattr(request, name) for request in file.requests]
        for name in ("prompt_tokens", "output_tokens", "latency_s", "waited_s", "accuracy", "weight")
    }
    shares = _shares(file)
    named = np.isfinite(shares[0]).any(axis=1)
    if file.requests and not named.all():
        index = int(np.argmin(named))
        expected = "a node that the shares of a request name"
        raise InputError(f"nodes[{index}].id", describe(file.nodes[index].id), expected)
    ids = tuple(request.id for request in file.requests)
    return Network(tuple(nodes), **columns, uplink_share=shares[0], downlink_share=shares[1], ids=ids)  # type: ignore[arg-type]


def _shares(file: _File) -> tuple[Any, Any]:
    """Shares of both bands, shape (nodes, requests)."""
    place = {node.id: index for index, node in enumerate(file.nodes)}
    tables = tuple(np.full((len(place), len(file.requests)), OUT_OF_REACH) for _ in range(2))
    for index, request in enumerate(file.requests):
        at = f"requests[{index}]"
        for table, name in zip(tables, ("uplink_share", "downlink_share"), strict=True):
            for node, share in getattr(request, name).items():
                if node not in place:
                    raise InputError(f"{at}.{name}.{node}", "an unknown node", one_of(node, place))
                if share not in _SHARE:
                    raise InputError(f"{at}.{name}.{node}", describe(share), str(_SHARE))
                table[place[node], index] = share
        if request.uplink_share.keys() != request.downlink_share.keys():
            found = "shares of " + (", ".join(request.downlink_share) or "no node")
            expected = "the nodes of uplink_share: " + (", ".join(request.uplink_share) or "none")
            raise InputError(f"{at}.downlink_share", found, expected)
    return tables


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
    return {
        "method": method,
        "assigned": {
            node.id: [network.ids[i] for i in batch]
            for node, batch in zip(network.nodes, schedule.batches, strict=True)
        },
        "size": schedule.size,
        "weight": schedule.weight,
        "upper_bound": schedule.upper_bound,
        "optimal": schedule.optimal,
        "nodes": {
            node.id: {
                "padded_prompt_tokens": load.padded_prompt_tokens,
                "uplink_share": load.uplink_share,
                "downlink_share": load.downlink_share,
                "memory_bytes": load.memory_bytes,
                "compute_time_s": load.compute_time_s,
                "deadline_s": load.deadline_s,
            }
            for node, load in zip(network.nodes, loads, strict=True)
        },
        "solve_time_s": solve_time_s,
    }


def network_table(network: Network, answer: dict[str, Any], width: int = 80) -> str:
    """Show who is served where, how close that is to the optimum, and how full each node is.

    Parameters
    ----------
    width
        Most characters in a line; long lists of requests are wrapped.
    """
    proof = "proven the largest" if answer["optimal"] else f"at most {answer['upper_bound']:.6g} possible"
    size = f"{answer['size']} of {network.size} requests"
    facts = [
        ("method", answer["method"]),
        ("size", size if network.weighted else f"{size}, {proof}"),
        *([("weight", f"{answer['weight']:.6g}, {proof}")] if network.weighted else []),
        ("solved in", f"{1e3 * answer['solve_time_s']:.3g} ms"),
        *((node.id, _of_node(answer, node)) for node in network.nodes),
    ]
    indent = 2 + max(len(one_line(name)) for name, _ in facts)
    return "\n".join(
        textwrap.fill(
            one_line(text),
            max(width, indent + 30),
            initial_indent=f"{one_line(name):<{indent}}",
            subsequent_indent=indent * " ",
        )
        for name, text in facts
    )


def _of_node(answer: dict[str, Any], node: Node) -> str:
    """What a node serves, and what that uses of each of its budgets."""
    load, memory_bytes = answer["nodes"][node.id], node.system.edge_node.memory_bytes
    if not answer["assigned"][node.id]:
        return "serves nobody"
    shares = {
        "uplink": load["uplink_share"],
        "downlink": load["downlink_share"],
        "memory": load["memory_bytes"] / memory_bytes,
        "compute": load["compute_time_s"] / load["deadline_s"],
    }
    used = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items())
    return f"{', '.join(answer['assigned'][node.id])} ({used})"
