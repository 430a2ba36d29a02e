"""File format edgebatch-instance/1: one epoch as JSON, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from edgebatch.checker import check
from edgebatch.errors import InputError
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.storage import Storage
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.model.tuning import Tuning
from edgebatch.problem import COLUMNS, Instance, Schedule
from edgebatch.schema import Checked, choice, describe, integer, read, real

FORMAT = "edgebatch-instance/1"


class _FixedPadding(Checked):
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


class NodeFields(Checked):
    """What a file says of a node."""

    slots: Slots
    padding: str | _FixedPadding
    cost: Any
    llm: Llm
    quantization: Quantization
    edge_node: EdgeNode
    output_billing: str = choice("own", "batch_max", default="own")
    storage: Storage | None = None
    tuning: Tuning | None = None


class _File(NodeFields):
    format: str = field(kw_only=True, metadata={"names": (FORMAT,)})
    requests: tuple[_Request, ...] = field(kw_only=True)


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
        return _instance(read(_File, parse_json(text)))
    except InputError as error:
        raise error.at(where) from None


def _instance(file: _File) -> Instance:
    system = system_of(file)
    ids = tuple(request.id for request in file.requests)
    refuse_double_ids(ids)
    columns = {name: [getattr(request, name) for request in file.requests] for name in COLUMNS}
    return Instance(system, **columns, ids=ids)  # type: ignore[arg-type]


def refuse_double_ids(ids: Sequence[str]) -> None:
    """Refuse requests of one name."""
    seen: set[str] = set()
    for index, name in enumerate(ids):
        if name in seen:
            raise InputError(f"requests[{index}].id", describe(name), "an id that no other request has")
        seen.add(name)


def system_of(file: NodeFields) -> System:
    """The node that a file describes."""
    padding = file.padding
    if isinstance(padding, str) and padding != "batch_max":
        raise InputError("padding", describe(padding), 'batch_max or {"fixed_tokens": ...}')
    fixed = padding.fixed_tokens if isinstance(padding, _FixedPadding) else None
    return System(
        file.slots,
        file.llm,
        file.quantization,
        file.edge_node,
        fixed,
        read_cost(file.cost),
        file.output_billing,
        file.storage,
        file.tuning,
    )


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
