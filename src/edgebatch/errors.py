"""The two ways in which this package refuses to go on."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Input that cannot be used. Its message is one line: file, key, what was found, what is expected.

    Parameters
    ----------
    key
        Dotted path of the offending value, such as ``requests[3].latency_s``.
    found
        What stands there, as a person would recognise it.
    expected
        What may stand there.
    where
        File (or command line) the value comes from; empty until the reader of that file is known.
    """

    def __init__(self, key: str, found: object, expected: str, where: str = "") -> None:
        self.key, self.found, self.expected, self.where = key, found, expected, where
        place = ": ".join(part for part in (where, key) if part)
        super().__init__(one_line(f"{place}: found {found}, expected {expected}"))

    def at(self, where: str = "", prefix: str = "") -> InputError:
        """The same error with the file, and with the path that leads to its key."""
        joint = "" if not prefix or not self.key or self.key.startswith("[") else "."
        return InputError(prefix + joint + self.key, self.found, self.expected, where or self.where)


class InfeasibleSchedule(AssertionError):
    """A scheduler returned a schedule that breaks a constraint: a defect of the scheduler."""


def one_line(text: str) -> str:
    """`text` with whatever would break its line, or a terminal, written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_of(found: object, names: Iterable[str]) -> str:
    """What is expected where `found` is none of `names`: the names, nearest first if one is near."""
    known = sorted(names)
    if not known:
        return "none"
    near = difflib.get_close_matches(str(found), known, n=1)
    listing = "one of " + ", ".join(known)
    return f"{listing} (did you mean {near[0]}?)" if near else listing
