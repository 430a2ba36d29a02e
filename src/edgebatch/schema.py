"""Frozen dataclasses that check their own fields, and `read`, which builds them from JSON or YAML data.

A class that derives from `Checked` declares the range of each field with `real`, `integer` or `choice`.
Every object is checked when it is made, so no invalid object exists. `read` names the key of a value that
it cannot use.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar, dataclass_transform

from edgebatch.errors import InputError, one_line, one_of

T = TypeVar("T")
REQUIRED: Any = dataclasses.MISSING

LARGEST_COUNT = 10**9
"""Largest whole number that a field takes by default; sums of such numbers fit into 64 bits."""


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
    """Declare a field that holds a finite number within bounds."""
    return dataclasses.field(default=default, metadata={"allowed": Range(above, at_least, at_most)})


def integer(at_least: int, at_most: int | None = None, default: Any = REQUIRED) -> Any:
    """Declare a field that holds a whole number within bounds."""
    allowed = Range(at_least=at_least, at_most=LARGEST_COUNT if at_most is None else at_most, whole=True)
    return dataclasses.field(default=default, metadata={"allowed": allowed})


def choice(*names: str, default: Any = REQUIRED) -> Any:
    """Declare a field that holds one of `names`."""
    return dataclasses.field(default=default, metadata={"names": names})


@dataclass_transform(frozen_default=True, field_specifiers=(real, integer, choice, dataclasses.field))
class Checked:
    """Base class that makes its subclasses frozen dataclasses and checks their fields."""

    def __init_subclass__(cls) -> None:
        dataclasses.dataclass(frozen=True)(cls)

    def __post_init__(self) -> None:
        for name, allowed, names in _limits(typing.cast(Hashable, type(self))):
            _check(name, getattr(self, name), allowed, names)


@functools.cache
def _limits(cls: Any) -> tuple[tuple[str, Range | None, tuple[str, ...] | None], ...]:
    """Name of each field of `cls` that has limits, with its range or its choice of names."""
    fields = (field for field in dataclasses.fields(cls) if field.metadata)
    return tuple((field.name, field.metadata.get("allowed"), field.metadata.get("names")) for field in fields)


def _check(key: str, value: object, allowed: Range | None, names: tuple[str, ...] | None) -> None:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            _check(f"{key}[{index}]", item, allowed, names)
        return
    if value is None:
        return  # the type says whether nothing is allowed
    if allowed is not None and value not in allowed:
        raise InputError(key, describe(value), str(allowed))
    if names is not None and value not in names:
        raise InputError(key, describe(value), one_of(value, names))


def describe(value: object) -> str:
    """Describe a value for the middle of a sentence, in at most 60 characters."""
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


def read(cls: type[T], data: object, key: str = "") -> T:
    """Build `cls`, a frozen dataclass, from nested mappings and lists.

    Parameters
    ----------
    key
        Dotted path from the root of the file to `data`.

    Raises
    ------
    InputError
        For an unknown or missing key, a value of another type, or one out of its range. The error names
        the dotted path from the root of the file.
    """
    try:
        return typing.cast(T, _reader(typing.cast(Hashable, cls))(data))
    except InputError as error:
        raise error.at(prefix=key) from None


_Reader = Callable[[Any], Any]
"""Turns a value of JSON or YAML into what a type hint asks for. The key of its errors begins at that value;
its caller puts the path to the value in front, so that text is made for errors alone."""


@functools.cache
def _reader(hint: Any) -> _Reader:
    """Build the reader for a type hint; it is built once."""
    if dataclasses.is_dataclass(hint):
        return _dataclass_reader(typing.cast(type, hint))
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return _tuple_reader(arguments[0])
    if origin is dict:
        return _dict_reader(arguments[1])
    if origin in (typing.Union, types.UnionType):
        return _union_reader(arguments)
    if hint is Any:
        return lambda value: value
    return _plain_reader(hint)


def _dataclass_reader(cls: type) -> _Reader:
    hints = typing.get_type_hints(cls)
    fields = {field.name: field for field in dataclasses.fields(cls)}
    readers = {name: _reader(hints[name]) for name in fields}
    expected = {name: _expected(field) for name, field in fields.items()}
    required = {name for name, field in fields.items() if _is_required(field)}

    def read_fields(data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise InputError("", describe(data), "a mapping with " + ", ".join(fields))
        if not data.keys() <= readers.keys():
            unknown = next(name for name in data if name not in readers)
            raise InputError(str(unknown), "an unknown key", one_of(unknown, readers))
        values = {}
        for name, reader in readers.items():
            if name in data:
                try:
                    values[name] = reader(data[name])
                except InputError as error:
                    if fields[name].metadata and not error.key:
                        raise InputError(name, error.found, expected[name]) from None
                    raise error.at(prefix=name) from None
            elif name in required:
                raise InputError(name, "nothing", expected[name])
        return cls(**values)

    return read_fields


def _tuple_reader(hint: Any) -> _Reader:
    reader = _reader(hint)

    def read_items(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise InputError("", describe(value), "a list")
        items: list[Any] = []
        try:
            for item in value:
                items.append(reader(item))
        except InputError as error:
            raise error.at(prefix=f"[{len(items)}]") from None
        return tuple(items)

    return read_items


def _dict_reader(hint: Any) -> _Reader:
    reader = _reader(hint)

    def read_values(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise InputError("", describe(value), "a mapping")
        values = {}
        for name, item in value.items():
            try:
                values[str(name)] = reader(item)
            except InputError as error:
                raise error.at(prefix=str(name)) from None
        return values

    return read_values


def _union_reader(hints: tuple[Any, ...]) -> _Reader:
    """Read None as None, a mapping by the first dataclass, and anything else by the first other hint."""
    some: list[Any] = [hint for hint in hints if hint is not type(None)]
    mappings: list[Any] = [hint for hint in some if dataclasses.is_dataclass(hint)]
    others: list[Any] = [hint for hint in some if not dataclasses.is_dataclass(hint)]
    read_mapping, read_other = _reader((mappings or some)[0]), _reader((others or some)[0])

    def read_either(value: Any) -> Any:
        if value is None and type(None) in hints:
            return None
        return read_mapping(value) if isinstance(value, Mapping) else read_other(value)

    return read_either


_KINDS = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}


def _plain_reader(kind: type) -> _Reader:
    """Read a value of `kind`; a whole number may stand where a float is expected."""

    def read_plain(value: Any) -> Any:
        if type(value) is kind:
            return value
        if kind is float and type(value) is int:
            return float(value) if abs(value) <= sys.float_info.max else value
        if not isinstance(value, kind) or isinstance(value, bool):
            raise InputError("", describe(value), _KINDS.get(kind, kind.__name__))
        return value

    return read_plain


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is REQUIRED and field.default_factory is REQUIRED


def _expected(field: dataclasses.Field[Any]) -> str:
    if "allowed" in field.metadata:
        return str(field.metadata["allowed"])
    if "names" in field.metadata:
        return one_of(None, field.metadata["names"])
    return f"a value for {field.name}"
