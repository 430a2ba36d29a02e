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
from edgebatch.problem import Instance, Schedule
from edgebatch.schema import Checked, integer, read


class SchedulerChoice(Checked):
    """A scheduler and all of its options."""

    name: str
    options: dict[str, Any]

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            known = schedulers.options(self.name)
        except InputError as error:
            raise InputError("name", error.found, error.expected) from None
        for option in self.options:
            if option not in known:
                raise InputError(f"options.{option}", "an unknown option", one_of(option, known))
        for option in known:
            if option not in self.options:
                raise InputError(f"options.{option}", "nothing", f"a value, such as {known[option]!r}")

    def function(self) -> Callable[[Instance], Schedule]:
        """The scheduler with its options bound."""
        return functools.partial(schedulers.get(self.name), **self.options)


class Simulation(Checked):
    """How long, and how often with other random numbers, a setting is simulated."""

    epochs: int = integer(at_least=1)
    seeds: int = integer(at_least=1)


LARGEST_RUN = 10**8
"""Requests of a run, times the epochs that one may wait: a few gigabytes."""


class Setting(Checked):
    """One point of an experiment, for one scheduler."""

    system: System
    radio: Radio
    workload: Workload
    scheduler: SchedulerChoice
    simulation: Simulation

    def __post_init__(self) -> None:
        super().__post_init__()
        workload, epoch_s = self.workload, self.system.slots.epoch_s
        waits = 1 + workload.latency.mean_s * (1 + workload.latency.relative_half_width) / epoch_s
        if waits > LARGEST_RUN:
            expected = f"at most {LARGEST_RUN} epochs of {epoch_s:g} s"
            raise InputError("workload.latency.mean_s", workload.latency.mean_s, expected)
        requests = workload.arrival_rate * self.simulation.epochs * epoch_s
        if requests * waits > LARGEST_RUN:
            found = f"{requests:.3g} requests of up to {waits:.3g} epochs"
            expected = f"at most {LARGEST_RUN} of both together, that memory holds a run"
            raise InputError("workload.arrival_rate", found, expected)

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
