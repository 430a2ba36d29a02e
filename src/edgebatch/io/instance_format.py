"""File format edgebatch-instance/1: one epoch as JSON, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from edgebatch.checker import check
from edgebatch.errors import InputError
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.problem import COLUMNS, Instance, Schedule
from edgebatch.schema import Checked, choice, describe, integer, read, real

FORMAT = "edgebatch-instance/1"


class FixedPadding(Checked):
    """A constant that prompts are padded to."""

    fixed_tokens: int = integer(at_least=1)


class _RooflineCost(Checked):
    roofline: Roofline


class _Request(Checked):
    id: str
    prompt_tokens: int = integer(at_least=1)
    output_tokens: int = integer(at_least=1)
    latency_s: float = real(above=0)
    waited_s: float = real(at_least=0)
    accuracy: float = real(at_least=0, at_most=1)
    uplink_share: float = real(at_least=0)
    downlink_share: float = real(at_least=0)
    weight: float = real(above=0, default=1.0)


class _File(Checked):
    format: str = choice(FORMAT)
    slots: Slots
    padding: str | FixedPadding
    cost: Any
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    requests: tuple[_Request, ...]
    output_billing: str = choice("own", "batch_max", default="own")


def read_instance(path: Path | str) -> Instance:
    """Read the instance in a file.

    Raises
    ------
    InputError
        If the file cannot be read, or holds no instance; the error names the file and the key.
    """
    path = Path(path)
    return parse_instance(read_text(path), str(path))


def parse_instance(text: str, where: str) -> Instance:
    """Read the instance in `text`.

    Parameters
    ----------
    where
        Name of the file that the text comes from, for errors.

    Raises
    ------
    InputError
        If the text holds no instance; the error names `where`, the key and what is expected there.
    """
    try:
        return instance_of(parse_json(text))
    except InputError as error:
        raise error.at(where) from None


def instance_of(data: object) -> Instance:
    """The instance in JSON data.

    Raises
    ------
    InputError
        If it is none; the error names the key and what is expected there.
    """
    file = read(_File, data)
    system = system_of(file)
    ids = tuple(request.id for request in file.requests)
    refuse_twice("requests", ids, "an id that no other request has")
    columns = {name: [getattr(request, name) for request in file.requests] for name in COLUMNS}
    return Instance(system, **columns, ids=ids)  # type: ignore[arg-type]


class NodeFields(Protocol):
    """What a file says of a node, beside its requests."""

    slots: Slots
    padding: str | FixedPadding
    cost: Any
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    output_billing: str


def system_of(fields: NodeFields) -> System:
    """The system that a file describes."""
    padding = fields.padding
    if isinstance(padding, str) and padding != "batch_max":
        raise InputError("padding", describe(padding), 'batch_max or {"fixed_tokens": ...}')
    return System(
        fields.slots,
        fields.llm,
        fields.quantization,
        fields.edge_node,
        padding.fixed_tokens if isinstance(padding, FixedPadding) else None,
        read_cost(fields.cost),
        fields.output_billing,
    )


def refuse_twice(key: str, ids: Sequence[str], expected: str) -> None:
    """Raise an InputError for an id of the list `key` that stands twice, at its second place."""
    seen: set[str] = set()
    for index, name in enumerate(ids):
        if name in seen:
            raise InputError(f"{key}[{index}].id", describe(name), expected)
        seen.add(name)


def read_cost(cost: object) -> str | Roofline:
    """The cost model that a file names, flops or the fields of a roofline."""
    if isinstance(cost, Mapping):
        return read(_RooflineCost, cost, "cost").roofline
    if cost != "flops":
        expected = 'flops or {"roofline": {"memory_bandwidth_bytes_per_s": ...}}'
        raise InputError("cost", describe(cost), expected)
    return "flops"


def answer(instance: Instance, schedule: Schedule, scheduler: str, solve_time_s: float) -> dict[str, Any]:
    """Return the answer to an instance, in the keys of the format.

    Parameters
    ----------
    scheduler
        Name of the scheduler that made `schedule`.

    Raises
    ------
    InfeasibleSchedule
        If the schedule breaks a constraint: every load is computed anew.
    """
    loads = check(instance, schedule)
    result: dict[str, Any] = {
        "scheduler": scheduler,
        "selected": [instance.ids[i] for i in schedule.selected],
        "size": schedule.size,
        **({"weight": schedule.weight} if instance.weighted else {}),
        "optimal": schedule.optimal,
        "upper_bound": schedule.upper_bound,
        "padded_prompt_tokens": loads.padded_prompt_tokens,
        "uplink_share": loads.uplink_share,
        "downlink_share": loads.downlink_share,
        "memory_bytes": loads.memory_bytes,
        "compute_time_s": loads.compute_time_s,
        "deadline_s": loads.deadline_s,
        "nodes_visited": schedule.nodes_visited,
        "solve_time_s": solve_time_s,
    }
    if schedule.missed:
        result["missed"] = [instance.ids[i] for i in schedule.missed]
    return result
