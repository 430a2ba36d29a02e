"""What had to be assumed: the entries of conf/assumptions.yaml, and draws of all of them together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgebatch.errors import InputError
from edgebatch.schema import Checked, choice, describe, read

WHERE = "conf/assumptions.yaml"


class Assumption(Checked):
    """One value of the configuration, and how sure we are of it.

    Attributes
    ----------
    key
        Where it stands in the composed configuration.
    range
        Bounds between which the robustness experiment draws it; None if it is not drawn.
    choices
        What it draws from, instead of a range.
    scale
        ``linear``, ``log`` or ``whole`` (whole numbers, bounds included).
    """

    key: str
    symbol: str
    meaning: str
    certainty: str = choice("abstract", "known", "recalled", "chosen")
    source: str
    unit: str = ""
    range: tuple[float, ...] | None = None
    choices: tuple[str, ...] | None = None
    scale: str = choice("linear", "log", "whole", default="linear")


class ValuedAssumption(Checked):
    """An assumption with its value in the configuration that is used."""

    entry: Assumption
    value: Any


class _File(Checked):
    assumptions: tuple[Assumption, ...]


def parse_assumptions(content: Mapping[str, Any], nominal: Mapping[str, Any]) -> tuple[ValuedAssumption, ...]:
    """The assumptions in the content of the file, with their values in the configuration `nominal`.

    Raises an `InputError` for a key that the configuration lacks, or a range without the value.
    """
    try:
        entries = read(_File, content).assumptions
    except InputError as error:
        raise error.at(WHERE) from None
    return tuple(_with_value(entry, nominal) for entry in entries)


def _with_value(entry: Assumption, nominal: Mapping[str, Any]) -> ValuedAssumption:
    value: Any = nominal
    for part in entry.key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise InputError(entry.key, "an unknown key", "a key of the composed configuration", WHERE)
        value = value[part]
    if entry.range is not None:
        _check_bounds(entry, entry.range, value)
    if entry.choices is not None and value not in entry.choices:
        raise InputError(f"{entry.key}.choices", list(entry.choices), f"choices with {value}", WHERE)
    if entry.certainty in ("recalled", "chosen") and (entry.range is None) == (entry.choices is None):
        raise InputError(entry.key, "no range", "range or choices, to draw it from", WHERE)
    return ValuedAssumption(entry, value)


def _check_bounds(entry: Assumption, bounds: tuple[float, ...], value: Any) -> None:
    """Refuse bounds that no value can be drawn between."""
    key = f"{entry.key}.range"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(key, list(bounds), f"choices, as the value is {describe(value)}", WHERE)
    finite = len(bounds) == 2 and all(map(math.isfinite, bounds))
    if not (finite and bounds[0] <= value <= bounds[1]):
        raise InputError(key, list(bounds), f"two bounds around {value}", WHERE)
    if entry.scale == "log" and bounds[0] <= 0:
        raise InputError(key, list(bounds), "bounds above 0, for a scale that is log", WHERE)
    if entry.scale == "whole" and any(bound != int(bound) for bound in bounds):
        raise InputError(key, list(bounds), "whole numbers, for a scale that is whole", WHERE)


def draw_assumptions(assumptions: Sequence[ValuedAssumption], draws: int, seed: int) -> list[dict[str, Any]]:
    """Draw every assumption that has a range or choices, together, by a Latin hypercube.

    Returns for each draw the value of each key.
    """
    # one experiment draws; the others need not wait a second for scipy.stats
    from scipy.stats import qmc

    drawn = [valued.entry for valued in assumptions if valued.entry.range or valued.entry.choices]
    cube = qmc.LatinHypercube(d=len(drawn), rng=np.random.default_rng(seed)).random(draws)
    return [{entry.key: _at(entry, float(u)) for entry, u in zip(drawn, row, strict=True)} for row in cube]


def _at(entry: Assumption, u: float) -> Any:
    """The value of an assumption at the quantile `u` in [0, 1)."""
    if entry.choices is not None:
        return entry.choices[int(u * len(entry.choices))]
    assert entry.range is not None
    low, high = entry.range
    if entry.scale == "whole":
        return int(low + np.floor(u * (high - low + 1)))
    value = low * (high / low) ** u if entry.scale == "log" else low + u * (high - low)
    return float(f"{value:.6g}")
