"""Frozen dataclasses that check themselves, and the reading of them from nested mappings.

A class that derives from `Checked` declares the range of each field with `real`, `integer` or
`choice`; the ranges are tested whenever an object is made, so that no invalid object exists.
`read` builds such objects from JSON or YAML data and names the key of whatever is wrong.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Hashable, Mapping
from typing import Any, TypeVar, dataclass_transform

from edgebatch.errors import InputError, one_line, one_of

T = TypeVar("T")
REQUIRED: Any = dataclasses.MISSING

LARGEST_COUNT = 10**9
"""Whole numbers stop here unless their field says otherwise, so that 64 bits hold what is summed of them."""


@dataclasses.dataclass(frozen=True)
class Range:
    """Bounds of a number; `above` is exclusive, `at_least` and `at_most` inclusive."""

    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    whole: bool = False

    def __contains__(self, value: object) -> bool:
        kinds = (int,) if self.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds):
            return False
        if abs(value) > sys.float_info.max or value != value:
            return False
        return not (
            (self.above is not None and value <= self.above)
            or (self.at_least is not None and value < self.at_least)
            or (self.at_most is not None and value > self.at_most)
        )

    def __str__(self) -> str:
        bounds = [
            f"{name} {bound:g}"
            for name, bound in (
                ("above", self.above),
                ("at least", self.at_least),
                ("at most", self.at_most),
            )
            if bound is not None
        ]
        return " ".join(["a whole number" if self.whole else "a number", " and ".join(bounds)]).rstrip()


def real(
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    default: Any = REQUIRED,
) -> Any:
    """A field that holds a finite number within bounds."""
    return dataclasses.field(default=default, metadata={"allowed": Range(above, at_least, at_most)})


def integer(at_least: int, at_most: int | None = None, default: Any = REQUIRED) -> Any:
    """A field that holds a whole number within bounds."""
    allowed = Range(at_least=at_least, at_most=LARGEST_COUNT if at_most is None else at_most, whole=True)
    return dataclasses.field(default=default, metadata={"allowed": allowed})


def choice(*names: str, default: Any = REQUIRED) -> Any:
    """A field that holds one of a few names."""
    return dataclasses.field(default=default, metadata={"names": names})


@dataclass_transform(frozen_default=True, field_specifiers=(real, integer, choice, dataclasses.field))
class Checked:
    """Base of frozen dataclasses whose fields carry their range."""

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True)(cls)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            _check(field.name, getattr(self, field.name), field.metadata)


def _check(key: str, value: object, metadata: Mapping[str, Any]) -> None:
    allowed, names = metadata.get("allowed"), metadata.get("names")
    items = value if isinstance(value, tuple) else (value,)
    for index, item in enumerate(items):
        at = f"{key}[{index}]" if isinstance(value, tuple) else key
        if allowed is not None and item not in allowed:
            raise InputError(at, describe(item), str(allowed))
        if names is not None and item not in names:
            raise InputError(at, describe(item), one_of(item, names))


def describe(value: object) -> str:
    """A value as one would point at it in a sentence; a long one is cut."""
    if isinstance(value, Mapping):
        text = "a mapping with " + (", ".join(map(str, value)) or "no keys")
    elif isinstance(value, (list, tuple)):
        text = f"a list of {len(value)}"
    elif isinstance(value, (bool, type(None))):
        text = {None: "nothing", True: "true", False: "false"}[value]
    elif isinstance(value, int) and abs(value) >= 10**50:
        text = f"a whole number of {value.bit_length()} bits"
    else:
        text = repr(value)
    text = one_line(text)
    return text if len(text) <= 60 else text[:57] + "..."


@functools.cache
def _fields(cls: Hashable) -> tuple[tuple[dataclasses.Field[Any], Any], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((field, hints[field.name]) for field in dataclasses.fields(typing.cast(type, cls)))


def read(cls: type[T], data: object, key: str = "") -> T:
    """Build `cls`, a frozen dataclass, from nested mappings and lists.

    Raises
    ------
    InputError
        For an unknown or missing key, a value of another type, or one out of its range; `key` is
        the dotted path from the root of `data`.
    """
    declared = _fields(typing.cast(Hashable, cls))
    if not isinstance(data, Mapping):
        raise InputError(key, describe(data), "a mapping with " + ", ".join(f.name for f, _ in declared))
    prefix = f"{key}." if key else ""
    known = {field.name for field, _ in declared}
    for name in data:
        if name not in known:
            raise InputError(f"{prefix}{name}", "an unknown key", one_of(name, known))
    values = {}
    for field, hint in declared:
        at = f"{prefix}{field.name}"
        if field.name in data:
            try:
                values[field.name] = _value(hint, data[field.name], at)
            except InputError as error:
                expected = _expected(field, hint) if error.key == at and field.metadata else error.expected
                raise InputError(error.key, error.found, expected) from None
        elif field.default is REQUIRED and field.default_factory is REQUIRED:
            raise InputError(at, "nothing", _expected(field, hint))
    try:
        return cls(**values)
    except InputError as error:
        raise error.at(prefix=key) from None


def _value(hint: Any, value: object, key: str) -> Any:
    if type(value) is hint:  # nearly always, of the fields of 100,000 requests
        return value
    if dataclasses.is_dataclass(hint):
        return read(typing.cast(type, hint), value, key)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if not isinstance(value, (list, tuple)):
            raise InputError(key, describe(value), "a list")
        return tuple(_value(arguments[0], item, f"{key}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        if not isinstance(value, Mapping):
            raise InputError(key, describe(value), "a mapping")
        return {str(name): _value(arguments[1], item, f"{key}.{name}") for name, item in value.items()}
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        mapping = isinstance(value, Mapping)
        fitting = [a for a in arguments if a is not type(None) and dataclasses.is_dataclass(a) == mapping]
        return _value((fitting or arguments)[0], value, key)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) <= sys.float_info.max else value
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        kind = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}
        raise InputError(key, describe(value), kind.get(hint, hint.__name__))
    return value


def _expected(field: dataclasses.Field[Any], hint: Any) -> str:
    if "allowed" in field.metadata:
        return str(field.metadata["allowed"])
    if "names" in field.metadata:
        return one_of(None, field.metadata["names"])
    return f"a value for {field.name}"
