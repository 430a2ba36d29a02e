"""Command lines: parsers that refuse in one line, and commands that end as Unix programs do."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from edgebatch.errors import InputError, one_line, one_of

BROKEN_PIPE, INTERRUPTED = 141, 130
"""Status of a command whose reader has gone, and of one that was stopped by Ctrl-C: 128 and the signal."""

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""Errors of a stream that takes no more."""


def run_command(program: str, command: Callable[[], int | None]) -> int:
    """Run a command, and end as a Unix program does, whatever happens to its streams.

    Input that cannot be used ends in one line on standard error. So does an output that cannot be written.
    A reader that has gone (``| head``) and Ctrl-C end the command without a word. Characters that the
    encoding of a terminal lacks are written as question marks.

    Parameters
    ----------
    program
        Name that lines on standard error begin with.
    command
        Returns the exit status, or None for 0.

    Returns
    -------
    int
        The exit status: 2 after an `InputError`, 1 if the output cannot be written.
    """
    closed = _open_closed_streams()
    try:
        if 1 in closed:
            raise InputError("standard output", "a closed one", "one that can be written")
        try:
            status = command() or 0
        finally:
            sys.stdout.flush()
    except InputError as error:
        return _report(program, str(error), 2)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return BROKEN_PIPE
    except OSError as error:
        if error.filename is not None or error.errno not in (
            errno.ENOSPC,
            errno.EDQUOT,
            errno.EFBIG,
            errno.EIO,
        ):
            raise
        _discard_output()
        cause = (error.strerror or "no access").lower()
        return _report(program, f"standard output: found {cause}, expected one that can be written", 1)
    return status


def _open_closed_streams() -> set[int]:
    """Open the null device in place of closed standard streams; their numbers.

    Else the next file that is opened would take the number of a closed one, and get what is printed.
    """
    closed = set()
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            closed.add(number)
            stream = open(os.devnull, "r" if number == 0 else "w", encoding="utf-8")  # noqa: SIM115
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
            setattr(sys, name, stream)
        elif number and hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="replace")
    return closed


def _report(program: str, text: str, status: int) -> int:
    print(f"{program}: {one_line(text)}", file=sys.stderr, flush=True)
    return status


def _discard_output() -> None:
    """Let what is still buffered go nowhere, so that Python's own flush at its end is quiet."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


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
