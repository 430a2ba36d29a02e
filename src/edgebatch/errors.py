"""Errors of the package: bad input, and a schedule that breaks a constraint."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Input that cannot be used. The message is one line: file, key, what was found, what is expected.

    Parameters
    ----------
    key
        Dotted path of the offending value, such as ``requests[3].latency_s``.
    found
        The value that stands there, as the message shows it.
    expected
        What may stand there, such as ``a number above 0``.
    where
        File that the value comes from, or ``command line``; a caller that knows it may add it by `at`.
    """

    def __init__(self, key: str, found: object, expected: str, where: str = "") -> None:
        self.key, self.found, self.expected, self.where = key, found, expected, where
        place = ": ".join(part for part in (where, key) if part)
        super().__init__(one_line(f"{place}: found {found}, expected {expected}"))

    def at(self, where: str = "", prefix: str = "") -> InputError:
        """Return the same error with its file, and with a path in front of its key.

        Parameters
        ----------
        where
            File that the value comes from; the one that the error has, unless given.
        prefix
            Dotted path to the mapping or list that the key of this error is in.
        """
        joint = "" if not prefix or not self.key or self.key.startswith("[") else "."
        return InputError(prefix + joint + self.key, self.found, self.expected, where or self.where)


class InfeasibleSchedule(AssertionError):
    """A schedule breaks a constraint, which is a defect of the scheduler that returned it."""


def one_line(text: str) -> str:
    """Escape the characters of `text` that do not print, such as line breaks and terminal codes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_of(found: object, names: Iterable[str]) -> str:
    """Say that one of `names` is expected in place of `found`, and which of them is close to it."""
    known = sorted(names)
    if not known:
        return "none"
    near = difflib.get_close_matches(str(found), known, n=1)
    listing = "one of " + ", ".join(known)
    return f"{listing} (did you mean {near[0]}?)" if near else listing
