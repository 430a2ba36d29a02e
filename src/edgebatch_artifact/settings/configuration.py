"""The schema of conf/: what a composed configuration may hold, and the setting it stands for."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import field
from typing import Any

from edgebatch.errors import InputError
from edgebatch.model.llm import Llm
from edgebatch.model.radio import Radio
from edgebatch.model.roofline import Roofline
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.model.trace import TraceFile
from edgebatch.model.tuning import Tuning
from edgebatch.model.workload import Slo
from edgebatch.network.drop import Cells
from edgebatch.schema import Checked, choice, integer, read, real
from edgebatch.serving.limits import Limits
from edgebatch.setting import SchedulerChoice, Setting, Simulation
from edgebatch_artifact.settings.quantization_config import (
    AccuracyMap,
    Offload,
    QuantizationConfig,
    StorageConfig,
    build_quantization,
    build_storage,
)
from edgebatch_artifact.settings.workload_config import WorkloadConfig, build_workload


class ModelConfig(Llm):
    """conf/model/: a shape, its name, and what it is held against.

    Attributes
    ----------
    published_parameters
        Number of parameters that its publisher states, or that its published checkpoint has.
    left_out_parameters
        Of these, the embeddings that the cost model leaves out.
    """

    label: str = field(kw_only=True)
    published_parameters: int | None = None
    left_out_parameters: int = 0


class Efficiencies(Checked):
    """What a node reaches of its peaks, and what its steps take beside: fields of a `Roofline`."""

    prefill_flops_share: float = real(above=0, at_most=1, default=1.0)
    decode_flops_share: float = real(above=0, at_most=1, default=1.0)
    attention_share: float = real(above=0, at_most=1, default=1.0)
    bandwidth_share: float = real(above=0, at_most=1, default=1.0)
    pooled_share: float = real(above=0, at_most=1, default=1.0)
    step_s: float = real(at_least=0, default=0.0)
    layer_s: float = real(at_least=0, default=0.0)


class EdgeNodeConfig(Checked):
    """conf/edge_node/: devices, their speed and memory bandwidth, and the memory of all of them.

    Attributes
    ----------
    efficiencies
        What was measured of the node, for the calibrated roofline alone.
    """

    label: str
    devices: int = integer(at_least=1)
    device_flops: float = real(above=0)
    memory_bytes: float = real(above=0)
    device_bandwidth_bytes_per_s: float = real(above=0)
    efficiencies: Efficiencies | None = None


class KindConfig(Checked):
    """A kind of node of a network: its devices, and the technique that its model is quantized with."""

    edge_node: EdgeNodeConfig
    quantization: QuantizationConfig


class CellsConfig(Checked):
    """conf/cells/: nodes of a network; where it has no `kinds`, each has the devices of the setting."""

    label: str
    nodes: int = integer(at_least=1, at_most=1000)
    distance_m: float = real(above=0)
    failure_share: float = real(at_least=0, at_most=1)
    proves: bool
    kinds: dict[str, KindConfig]


class CostConfig(Checked):
    """conf/cost/: a cost model of the compute time.

    Attributes
    ----------
    weight_only_speedup
        Whether quantization speeds up arithmetic even where activations stay at 16 bits.
    calibrated
        Whether the roofline has the efficiencies of the edge node, and not its peaks.
    """

    label: str
    name: str = choice("flops", "roofline")
    weight_only_speedup: bool
    calibrated: bool = False


class RadioConfig(Radio):
    """conf/radio/: a radio link and its name."""

    label: str = ""


MARKERS = tuple("os^v<>DdpPhH8*Xx+.1234")
"""Markers of Matplotlib that have a shape."""


class SchedulerConfig(Checked):
    """conf/scheduler/: a scheduler, its options, and how figures show it."""

    label: str
    color: str
    marker: str
    name: str
    options: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch("#[0-9A-Fa-f]{6}", self.color):
            raise InputError("color", repr(self.color), 'six hexadecimal digits, such as "#0072B2"')
        if self.marker not in MARKERS:
            raise InputError("marker", repr(self.marker), f"one of {' '.join(MARKERS)}")


class Padding(Checked):
    """What prompts are padded to."""

    to: str = choice("batch_max", "fixed")
    fixed_tokens: int = integer(at_least=1)


class GridConfig(Checked):
    """How a scale thins an experiment: values kept of each axis, draws kept of a sample."""

    values_per_axis: int | None
    draws: int | None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("values_per_axis", 2), ("draws", 1)):
            found = getattr(self, name)
            if found is not None and found < least:
                raise InputError(name, found, f"null for all, or a whole number at least {least}")


class Config(Checked):
    """A composed configuration."""

    model: ModelConfig
    quantization: QuantizationConfig
    edge_node: EdgeNodeConfig
    storage: StorageConfig
    radio: RadioConfig
    cells: CellsConfig
    workload: WorkloadConfig
    scheduler: SchedulerConfig
    slots: Slots
    cost: CostConfig
    padding: Padding
    output_billing: str = choice("own", "batch_max")
    accuracy_map: AccuracyMap
    speedup: dict[str, float]
    offload: Offload
    tuning: Tuning
    slo_classes: dict[str, Slo]
    serving: Limits
    simulation: Simulation
    grid: GridConfig
    most_settings: int = integer(at_least=1)


def build_setting(data: dict[str, Any], model: str, name_trace: Callable[[str], TraceFile]) -> Setting:
    """The setting of a composed configuration, `model` being the file of conf/model/ it uses.

    `name_trace` reads a file of recorded requests, and names its content.
    Raises an `InputError` with a key of the composed configuration.
    """
    config = read(Config, data)
    system = _system(config, model)
    workload = build_workload(config.workload, config.slo_classes, name_trace)
    scheduler = _scheduler(config.scheduler)
    if workload.trace is None:
        _check_lengths(config)
    result = Setting(
        system=system,
        radio=_only_fields(Radio, config.radio),
        workload=workload,
        scheduler=scheduler,
        simulation=config.simulation,
        serving=config.serving if scheduler.is_policy else None,
        cells=_cells(config, model) if scheduler.is_method else None,
    )
    if scheduler.is_policy or scheduler.is_method:
        return result
    try:
        result.scheduler.function()(result.empty_instance())
    except InputError as error:
        raise error.at(prefix="scheduler.options") from None
    return result


def _system(config: Config, model: str) -> System:
    node = config.edge_node
    return System(
        slots=config.slots,
        llm=_only_fields(Llm, config.model),
        quantization=build_quantization(
            config.quantization, config.accuracy_map, config.cost.weight_only_speedup, model
        ),
        edge_node=_pooled(node),
        fixed_padding_tokens=config.padding.fixed_tokens if config.padding.to == "fixed" else None,
        cost=_cost(config),
        output_billing=config.output_billing,
        storage=build_storage(config.storage, config.offload, config.quantization.coded, node.devices),
        tuning=config.tuning if config.tuning.steps_per_s > 0 else None,
    )


def _cells(config: Config, model: str) -> Cells:
    """The nodes of a network, each kind of them as the setting would be with its devices and technique."""
    kinds = []
    for name, kind in config.cells.kinds.items():
        of_kind = dataclasses.replace(config, edge_node=kind.edge_node, quantization=kind.quantization)
        try:
            kinds.append(_system(of_kind, model))
        except InputError as error:
            raise error.at(prefix=f"cells.kinds.{name}") from None
    cells = config.cells
    return Cells(cells.nodes, cells.distance_m, cells.failure_share, cells.proves, tuple(kinds))


def _check_lengths(config: Config) -> None:
    """Refuse lengths that no request of the workload can have."""
    longest = max(config.workload.prompt_tokens)
    if config.padding.to == "fixed" and longest > config.padding.fixed_tokens:
        raise InputError("padding.fixed_tokens", config.padding.fixed_tokens, f"at least {longest}")
    longest_output = max(config.workload.output_tokens)
    if config.model.layers == 0 and longest_output > 1:
        raise InputError("workload.output_tokens", longest_output, "1: the model has no decoder")


def _pooled(node: EdgeNodeConfig) -> EdgeNode:
    try:
        return EdgeNode(node.devices * node.device_flops, node.memory_bytes, node.devices)
    except InputError as error:
        raise InputError("edge_node.device_flops", node.device_flops, f"{error.expected}, pooled") from None


def _scheduler(config: SchedulerConfig) -> SchedulerChoice:
    try:
        return SchedulerChoice(config.name, config.options)
    except InputError as error:
        raise error.at(prefix="scheduler") from None


def _cost(config: Config) -> str | Roofline:
    if config.cost.name == "flops":
        return "flops"
    bandwidth, reached = config.edge_node.device_bandwidth_bytes_per_s, config.edge_node.efficiencies
    if config.cost.calibrated and reached is None:
        raise InputError("edge_node.efficiencies", "nothing", "those of a node that was calibrated")
    efficiencies = vars(reached) if config.cost.calibrated else {}
    try:
        return Roofline(config.edge_node.devices * bandwidth, **efficiencies)
    except InputError as error:
        raise InputError(
            "edge_node.device_bandwidth_bytes_per_s", bandwidth, f"{error.expected}, pooled"
        ) from None


def _only_fields(cls: Any, config: Any) -> Any:
    names = cls.__dataclass_fields__
    return cls(**{name: getattr(config, name) for name in names})
