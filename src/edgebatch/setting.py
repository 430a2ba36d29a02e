"""A setting: everything that decides the result of one run, and nothing else."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

from edgebatch import schedulers
from edgebatch.errors import InputError, one_of
from edgebatch.model.radio import Radio
from edgebatch.model.system import System
from edgebatch.model.workload import Workload
from edgebatch.network import methods, solve_network
from edgebatch.network.drop import Cells
from edgebatch.problem import Instance
from edgebatch.schema import Checked, integer, read
from edgebatch.serving import policies
from edgebatch.serving.limits import Limits


class SchedulerChoice(Checked):
    """A scheduler of epochs, or a method for several nodes, with all options; or a policy, which has none.

    Policies are those of continuous batching.
    """

    name: str
    options: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        names = (*schedulers.names(), *policies.names(), *methods.names())
        if self.name not in names:
            raise InputError("name", repr(self.name), one_of(self.name, names))
        known = {} if self.is_policy else (methods if self.is_method else schedulers).options(self.name)
        for option in self.options:
            if option not in known:
                raise InputError(f"options.{option}", "an unknown option", one_of(option, known))
        for option in known:
            if option not in self.options:
                raise InputError(f"options.{option}", "nothing", f"a value, such as {known[option]!r}")

    @property
    def is_policy(self) -> bool:
        """Whether it is a policy of continuous batching."""
        return self.name in policies.names()

    @property
    def is_method(self) -> bool:
        """Whether it is a method for several nodes."""
        return self.name in methods.names()

    def function(self) -> Callable[[Any], Any]:
        """The scheduler, a function of an `Instance`, or the method, one of a `Network`, with its options."""
        if self.is_method:
            return functools.partial(solve_network, method=self.name, **self.options)
        return functools.partial(schedulers.get(self.name), **self.options)


class Simulation(Checked):
    """How long, and how often with other random numbers, a setting is simulated."""

    epochs: int = integer(at_least=1)
    seeds: int = integer(at_least=1)


LARGEST_RUN = 10**8
"""Requests of a run, times the epochs that one may wait: a few gigabytes."""


class Setting(Checked):
    """One point of an experiment, for one scheduler.

    Attributes
    ----------
    serving
        Limits of the engine of continuous batching; None for a scheduler of epochs.
    cells
        The nodes that a method has; None for a scheduler of one node.
    """

    system: System
    radio: Radio
    workload: Workload
    scheduler: SchedulerChoice
    simulation: Simulation
    serving: Limits | None = None
    cells: Cells | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheduler.is_policy != (self.serving is not None):
            raise InputError("serving", "other than the scheduler needs", "limits for a policy alone")
        if self.scheduler.is_method != (self.cells is not None):
            raise InputError("cells", "other than the scheduler needs", "nodes for a method of several alone")
        if self.cells is not None and self.radio.macro_cell is None:
            raise InputError("radio.macro_cell", "nothing", "a cell, as several nodes need distances")
        if self.cells is not None and self.workload.trace is not None:
            raise InputError("workload.trace", "a trace", "none: the users of several nodes are drawn")
        if self.scheduler.is_policy and self.system.llm.encoder_layers:
            raise InputError(
                "scheduler.name", repr(self.scheduler.name), "a scheduler of epochs, for an encoder"
            )
        workload, epoch_s = self.workload, self.system.slots.epoch_s
        waits = 1 + workload.longest_wait_s / epoch_s
        if waits > LARGEST_RUN:
            expected = f"at most {LARGEST_RUN} epochs of {epoch_s:g} s"
            raise InputError("workload.latency.mean_s", workload.latency.mean_s, expected)
        requests = (workload.arrival_rate or 0) * self.simulation.epochs * epoch_s
        if requests * waits > LARGEST_RUN:
            found = f"{requests:.3g} requests of up to {waits:.3g} epochs"
            expected = f"at most {LARGEST_RUN} of both together, that memory holds a run"
            raise InputError("workload.arrival_rate", found, expected)

    def function(self) -> Callable[[Any], Any]:
        """The scheduler with its options; a method of several nodes proves bounds if the setting says so."""
        function: Callable[..., Any] = self.scheduler.function()
        return function if self.cells is None else functools.partial(function, bound=self.cells.proves)

    def as_dict(self) -> dict[str, Any]:
        """Nested mappings and lists, as `read` takes them back."""
        return dataclasses.asdict(self)

    def id(self) -> str:
        """Name of the setting by its content."""
        return identity(self.as_dict())

    def empty_instance(self) -> Instance:
        """An epoch of this setting without requests."""
        return Instance(self.system, *([()] * 7))  # type: ignore[arg-type]


def identity(content: object) -> str:
    """Twelve hexadecimal digits that name JSON data by its content; order of keys is irrelevant."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def read_setting(data: object, where: str) -> Setting:
    """The setting in JSON data that comes from the file `where`."""
    try:
        return read(Setting, data)
    except InputError as error:
        raise error.at(where) from None
