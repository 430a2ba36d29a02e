"""Command lines that are refused in one line, with the nearest word that there is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from edgebatch.errors import one_line, one_of


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line on standard error, with exit status 2."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        self.exit(2, one_line(f"{self.prog}: command line: {message} ({self.prog} --help tells more)") + "\n")

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse, and refuse what is unknown where the words of this very command are at hand."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            self.error(f"found {name!r}, expected {one_of(name, self._option_string_actions)}")
        return found, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            what = action.metavar or action.dest
            self.error(f"{what}: found {value!r}, expected {one_of(value, action.choices)}")
