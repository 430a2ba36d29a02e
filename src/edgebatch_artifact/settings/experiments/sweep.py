"""The sweep of an experiment, in Hydra's sweeper grammar: counted first, and then expanded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep

from edgebatch.errors import InputError
from edgebatch.schema import describe

PLACE = "hydra.sweeper.params"


def sweep(params: Mapping[str, Any], where: str) -> dict[str, list[Any]]:
    """The values of each swept key, from ``hydra.sweeper.params``.

    Raises
    ------
    InputError
        For a value that the grammar does not have, or a sweep without values.
    """
    return {key: _values(parsed, key, where) for key, parsed in _parsed(params, where).items()}


def sweep_size(params: Mapping[str, Any], where: str) -> int:
    """How many points a sweep has, without making any of them.

    Raises
    ------
    InputError
        As `sweep` does.
    """
    return math.prod(_length(parsed, key, where) for key, parsed in _parsed(params, where).items())


def refuse_sweeps(overrides: Iterable[str], where: str) -> None:
    """Refuse overrides that ask for an experiment, or for several values of a key, instead of one setting.

    Raises
    ------
    InputError
        Naming the key, and where several settings belong.
    """
    for override in overrides:
        key, _, value = override.lstrip("+~").partition("=")
        if key == "experiment":
            expected = "one setting (snakemake --cores 8 figures/NAME.pdf runs an experiment)"
            raise InputError(key, repr(value), expected, where)
        try:
            several = OverridesParser.create().parse_override(override).is_sweep_override()
        except Exception:  # whatever is wrong with it is told where it is composed
            continue
        if several:
            raise InputError(key, repr(value), "one value (sweeps are files of conf/experiment/)", where)


def _parsed(params: Mapping[str, Any], where: str) -> dict[str, Override]:
    return {key: _parse(key, value, where) for key, value in params.items()}


def _parse(key: str, value: Any, where: str) -> Override:
    if isinstance(value, (dict, list)) or value is None:
        raise InputError(f"{PLACE}.{key}", describe(value), 'values in one line, such as "1,2,3"', where)
    try:
        parsed = OverridesParser.create().parse_override(f"{key}={value}")
        if parsed.key_or_group != key:
            raise ValueError("a key with signs that Hydra reads in its own way")
    except Exception as error:  # whatever the grammar's parser raises
        found = f"{describe(value)} ({_first(error)})"
        raise InputError(f"{PLACE}.{key}", found, "values in Hydra's sweeper grammar", where) from None
    return parsed


def _length(parsed: Override, key: str, where: str) -> int:
    found = parsed.value() if parsed.is_sweep_override() else None
    if isinstance(found, (ChoiceSweep, RangeSweep)) and found.shuffle:
        raise InputError(f"{PLACE}.{key}", "a shuffled sweep", "values in an order that stays", where)
    if isinstance(found, RangeSweep):
        start, stop, step = found.start or 0, found.stop, found.step
        steps = (stop - start) / step if stop is not None and step else math.nan
        if not math.isfinite(steps):
            raise InputError(f"{PLACE}.{key}", "a range without end", "range(start,stop,step)", where)
        number = max(0, math.ceil(steps))
    elif isinstance(found, ChoiceSweep):
        number = len(found.list)
    elif parsed.is_sweep_override():
        raise InputError(f"{PLACE}.{key}", "a pattern or an interval", "the values, one by one", where)
    else:
        number = 0 if parsed.value() in ("", None) else 1
    if number == 0:
        raise InputError(f"{PLACE}.{key}", "an empty sweep", "at least one value", where)
    return number


def _values(parsed: Override, key: str, where: str) -> list[Any]:
    _length(parsed, key, where)
    if not parsed.is_sweep_override():
        return [parsed.value()]
    plain = OverridesParser.create()
    try:
        return [plain.parse_override(f"x={item}").value() for item in parsed.sweep_string_iterator()]
    except Exception as error:  # whatever the grammar's parser raises
        raise InputError(
            f"{PLACE}.{key}", _first(error), "values in Hydra's sweeper grammar", where
        ) from None


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
