"""Recorded requests as CSV: a row for each, with ``arrival_s``, ``prompt_tokens`` and ``output_tokens``.

A column ``latency_s`` may stand beside them.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgebatch.errors import InputError, one_of
from edgebatch.model.trace import Trace
from edgebatch.schema import Range, describe

NEEDED = ("arrival_s", "prompt_tokens", "output_tokens")
ALLOWED = {
    "arrival_s": Range(at_least=0, at_most=1e9),
    "prompt_tokens": Range(at_least=1, at_most=10**7, whole=True),
    "output_tokens": Range(at_least=1, at_most=10**7, whole=True),
    "latency_s": Range(above=0, at_most=1e9),
}


def parse_requests(text: str, where: str) -> Trace:
    """Read the requests in the text of a CSV file.

    Raises
    ------
    InputError
        Naming the file, the row (the header is row 1) and the column of the first value that cannot be used.
    """
    try:
        rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True))
        return _trace(rows)
    except csv.Error as error:
        raise InputError("", str(error), "a table of comma-separated values", where) from None
    except InputError as error:
        raise error.at(where) from None


def trace_of(columns: dict[str, Sequence[float]]) -> Trace:
    """Requests from their columns; arrivals must not fall."""
    arrays: dict[str, Any] = {
        name: np.array(values, dtype=np.int64 if ALLOWED[name].whole else np.float64)
        for name, values in columns.items()
    }
    return Trace(**arrays)


def _trace(rows: list[list[str]]) -> Trace:
    if not rows:
        raise InputError("row 1", "nothing", "the names of the columns: " + ", ".join(NEEDED))
    head = [name.strip() for name in rows[0]]
    for name in NEEDED:
        if name not in head:
            raise InputError("row 1", ", ".join(head)[:60] or "nothing", f"a column {name}")
    for name in head:
        if name not in ALLOWED:
            raise InputError(
                f"row 1, column {name or 'without a name'}", "an unknown column", one_of(name, ALLOWED)
            )
        if head.count(name) > 1:
            raise InputError(f"row 1, column {name}", "the column twice", "each column once")
    columns: dict[str, list[float]] = {name: [] for name in head}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != len(head):
            raise InputError(f"row {number}", f"{len(row)} values", f"{len(head)}, one for each column")
        for name, cell in zip(head, row, strict=True):
            columns[name].append(_number(cell, name, number))
        arrivals = columns["arrival_s"]
        if len(arrivals) > 1 and arrivals[-1] < arrivals[-2]:
            at = f"row {number}, column arrival_s"
            raise InputError(
                at, row[head.index("arrival_s")], f"at least {arrivals[-2]:g}, as in the row before"
            )
    if not columns["arrival_s"]:
        raise InputError("row 2", "nothing", "a request")
    return trace_of(dict(columns))


def _number(cell: str, name: str, row: int) -> float:
    kind: Callable[[str], float] = int if ALLOWED[name].whole else float
    try:
        value = kind(cell)
    except ValueError:
        value = float("nan")
    if value not in ALLOWED[name]:
        raise InputError(f"row {row}, column {name}", describe(cell), str(ALLOWED[name]))
    return value
