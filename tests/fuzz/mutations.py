"""Good files made bad: nodes of their tree replaced, left out, doubled or moved, then bytes of their text."""

from __future__ import annotations

import copy
import random
import struct
from typing import Any

ODD = (
    None, True, False, 0, 1, -1, 2, 1.5, -0.0, 1e-320, 1e308, -1e308, float("nan"), float("inf"), float("-inf"),
    10**9, 10**10, 2**63, 10**400, "", " ", "x", "0", "1,2", "1,", "[1", "range(1,3)", "range(0,1e9)", "range(3)",
    "glob(*)", "shuffle(1,2)", "interval(0,1)", "choice()", "${x}", "${", "???", "\n", "\u2028", "\x00", "\ud800",
    "é", "a" * 5000, "{}", "{0.a}", "dftsp", "bloom_3b", "model", [], {}, [[]], [None], {"": None},
    {"a": {"b": []}}, [1, "x", None], "2026-01-01", "!!python/object:os.system", "&a", "*a", "null", "~", "1_0", "0x1",
)  # fmt: skip
TOKENS = (
    *"{}[],:\"'#&*!|>%@`\\\n\t\r\0 -?~0.eE", "\ufeff", "é", "\ud800", "NaN", "Infinity", "1e999", "9" * 5000,
    "- - - - ", "<<: ", "&a [*a]", "!!set", "!!binary", "null", "true", ": : ", "---\n", "...\n", "\x85",
)  # fmt: skip


DEEP = ("[" * 3000, '{"a":' * 1000, "- " * 1500)
"""Nesting without end, which parsers take long to refuse: a rare guest."""


def mutated_tree(good: Any, rng: random.Random) -> Any:
    """A copy of nested mappings and lists with one to three changes."""
    data = copy.deepcopy(good)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(data))
        if not places:
            return rng.choice(ODD)
        parent, key = rng.choice(places)
        rng.choice((_replace, _replace, _replace, _leave_out, _double, _swap, _wrap, _rename))(
            data, parent, key, rng
        )
    return data


def mutated_text(good: str, rng: random.Random) -> str:
    """A text with one to three pieces replaced, left out, doubled or put in."""
    text = good
    for _ in range(rng.choice((1, 1, 2, 3))):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 0, 1, 1, 2, 5, 40)))
        piece = rng.choice(("", text[start:end] * 2, rng.choice(TOKENS), rng.choice(TOKENS)))
        if rng.random() < 0.002:
            # in place of a value, where a parser goes down
            start = end = rng.choice([i + 1 for i, sign in enumerate(text) if sign == ":"] or [0])
            piece = rng.choice(DEEP)
        text = text[:start] + piece + text[end:]
    return text


def _places(node: Any) -> Any:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield node, key
        yield from _places(value)


def _replace(_: Any, parent: Any, key: Any, rng: random.Random) -> None:
    parent[key] = copy.deepcopy(rng.choice(ODD)) if rng.random() < 0.5 else _any(rng)


def _any(rng: random.Random) -> Any:
    """A number of any size, or a text of any characters."""
    (real,) = struct.unpack("d", rng.randbytes(8))
    whole = rng.randrange(-(10 ** rng.randrange(1, 30)), 10 ** rng.randrange(1, 30))
    text = "".join(
        chr(rng.choice((rng.randrange(32, 127), rng.randrange(0xD800)))) for _ in range(rng.randrange(9))
    )
    return rng.choice((real, whole, text, rng.random(), rng.randrange(1000)))


def _leave_out(_: Any, parent: Any, key: Any, rng: random.Random) -> None:
    del parent[key]


def _double(_: Any, parent: Any, key: Any, rng: random.Random) -> None:
    if isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    else:
        parent[f"{key}{rng.choice(('s', '_', '.', '@x', ' ', '+'))}"] = copy.deepcopy(parent[key])


def _swap(data: Any, parent: Any, key: Any, rng: random.Random) -> None:
    other, place = rng.choice(list(_places(data)))
    parent[key], other[place] = copy.deepcopy(other[place]), copy.deepcopy(parent[key])


def _wrap(_: Any, parent: Any, key: Any, rng: random.Random) -> None:
    for _ in range(rng.choice((1, 1, 2, 200))):
        parent[key] = rng.choice(([parent[key]], {"a": parent[key]}))


def _rename(_: Any, parent: Any, key: Any, rng: random.Random) -> None:
    if isinstance(parent, dict):
        name = rng.choice(
            (str(key)[:-1], f"{key}x", str(key).upper(), "", f"+{key}", f"~{key}", f"{key}@x", 7, None)
        )
        parent[name] = parent.pop(key)
