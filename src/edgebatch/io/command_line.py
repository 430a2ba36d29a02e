"""What every command line of the project shares: how its words are refused, and how it ends.

`Parser` refuses words in one line. `run_command` runs a command and turns whatever stops it into one line
on standard error and an exit status.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TextIO

from edgebatch.errors import InputError, one_line, one_of

FAILED, REFUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
"""Exit status after an error of the system, bad input, SIGINT, and SIGPIPE: the shell's 128 + signal."""


def run_command(program: str, command: Callable[[], int | None]) -> int:
    """Run a command of the command line, and say in at most one line what stopped it.

    A closed standard stream becomes one that cannot be used, so that no other file takes its place.
    Characters that the encoding of standard output lacks are written as escapes such as ``\\xb1``. Warnings
    take one line each.

    Parameters
    ----------
    program
        Name that the line on standard error begins with.
    command
        The command; returns its exit status, where None is 0.

    Returns
    -------
    int
        The status of the command, or of the `SystemExit` that it raised. 2 if it raised `InputError`. 130
        after Ctrl-C. 141, without a line, if the reader of its output has gone. 1 after any other `OSError`,
        such as a full disk, or if memory runs out; also if standard output cannot take the last of the text.
    """
    _open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")

    def say(message: object, *_: object, **__: object) -> None:
        with contextlib.suppress(OSError):
            print(one_line(f"{program}: {message}"), file=sys.stderr, flush=True)

    with warnings.catch_warnings():
        warnings.showwarning = say
        try:
            status = _status(command, say)
            sys.stdout.flush()
        except InputError as error:
            say(error)
            status = REFUSED
        except KeyboardInterrupt:
            status = INTERRUPTED
        except MemoryError as error:
            say(str(error) or "out of memory")
            status = FAILED
        except BrokenPipeError:
            status = PIPE_CLOSED
        except OSError as error:
            place = "standard output" if _drop_unwritable(sys.stdout) else error.filename
            say(f"{f'{place}: ' if place else ''}{(error.strerror or str(error)).lower()}")
            status = FAILED
    _drop_unwritable(sys.stdout)
    _drop_unwritable(sys.stderr)
    return status


def _status(command: Callable[[], int | None], say: Callable[[object], None]) -> int:
    try:
        return command() or 0
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        say(ended.code)
        return FAILED


def _open_closed_streams() -> None:
    """Put the null device in place of each standard stream that is closed.

    Standard input and output get it in the direction that they do not use: reading and writing then fail,
    where the null device itself would lose the output and call that success.
    """
    if sys.stdin is None:
        sys.stdin = open(os.open(os.devnull, os.O_WRONLY))
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = open(os.open(os.devnull, os.O_WRONLY), "w")


def _drop_unwritable(stream: TextIO) -> bool:
    """Flush `stream`; if that fails, drop what it holds, and say so.

    Python would try once more when it exits, and end with a traceback.
    """
    try:
        stream.flush()
    except OSError:
        with open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), stream.fileno())
        return True
    return False


class Parser(argparse.ArgumentParser):
    """A parser whose refusals are one line on standard error with the nearest known word, and exit status 2.

    If it has commands, its own options take no values.
    """

    def __init__(self, **more: Any) -> None:
        self._flags: list[str] = []
        self._commands: Any = None
        super().__init__(**more, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        self.exit(2, one_line(f"{self.prog}: command line: {message} ({self.prog} --help tells more)") + "\n")

    def add_argument(self, *names: Any, **more: Any) -> argparse.Action:
        """Add an argument, as `argparse` does."""
        added = super().add_argument(*names, **more)
        self._flags.extend(added.option_strings)
        return added

    def add_subparsers(self, **more: Any) -> Any:
        """Add commands, as `argparse` does."""
        self._commands = super().add_subparsers(**more)
        return self._commands

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """Parse, and refuse an unknown command or flag with the names that this parser knows."""
        words = list(sys.argv[1:] if args is None else args)
        if self._commands is not None:
            command = next((word for word in words if not word.startswith("-")), None)
            if command is not None and command not in self._commands.choices:
                expected = one_of(command, self._commands.choices)
                self.error(f"{self._commands.metavar}: found {command!r}, expected {expected}")
        found, unknown = super().parse_known_args(words, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            self.error(f"found {name!r}, expected {one_of(name, self._flags)}")
        return found, unknown
