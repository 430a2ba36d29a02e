"""Parsing and error handling that all command lines of the project share.

`Parser` refuses a command line that it cannot use. `run_command` runs a command and turns the error that
stops it into one line on standard error and an exit status.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TextIO

from edgebatch.errors import InputError, one_line, one_of

FAILED, REFUSED, INTERRUPTED, PIPE_CLOSED = 1, 2, 130, 141
"""Exit status after an error of the system, bad input, SIGINT, and SIGPIPE: the shell's 128 + signal."""


def run_command(program: str, command: Callable[[], int | None]) -> int:
    """Run a command, and turn the error that stops it into one line on standard error and an exit status.

    A standard stream that is closed is opened as one that fails when it is used, so that no other file takes
    its number. Characters that the encoding of standard output lacks are escaped, as on standard
    error. Each warning is one line.

    Parameters
    ----------
    program
        Name that the line on standard error begins with.
    command
        The command; returns its exit status, where None is 0.

    Returns
    -------
    int
        The status of the command, or of the `SystemExit` that it raised. 2 if it raised `InputError`; 130
        after Ctrl-C; 141, without a line, if the reader of a pipe has gone; 1 after another `OSError`, such
        as a full disk, also if standard output fails only at the end; 1 if memory runs out.
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
            # a disk that is full and has no name is behind the output
            behind_output = _drop_unwritable(sys.stdout) or error.errno in (errno.ENOSPC, errno.EDQUOT)
            place = error.filename or ("standard output" if behind_output else "")
            say(f"{place}{': ' * bool(place)}{(error.strerror or str(error)).lower()}")
            status = FAILED
    _drop_unwritable(sys.stdout)
    _drop_unwritable(sys.stderr)
    return status


@contextlib.contextmanager
def ended_by_interrupt() -> Iterator[None]:
    """Let Ctrl-C end the process at once, by the signal itself.

    Compiled code does not look for signals, so `KeyboardInterrupt` would wait for the end of a long search.
    For blocks that leave nothing behind: no ``finally`` is run.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _status(command: Callable[[], int | None], say: Callable[[object], None]) -> int:
    try:
        return command() or 0
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        say(ended.code)
        return FAILED


def _open_closed_streams() -> None:
    """Open the null device in place of each standard stream that is closed.

    Standard input is opened for writing and standard output for reading. Their use then fails, where output
    to the null device would be lost without an error.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_WRONLY))
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")


def _drop_unwritable(stream: TextIO) -> bool:
    """Flush `stream` and return False; if that fails, drop the text that it holds and return True.

    Python would flush the same text once more at exit, and print a traceback.
    """
    try:
        stream.flush()
    except OSError:
        with open(os.devnull, "wb") as null:
            os.dup2(null.fileno(), stream.fileno())
        return True
    return False


class Parser(argparse.ArgumentParser):
    """A parser that refuses a command line in one line, with the nearest name that it knows, and status 2.

    In a parser with commands, the options before the command must not take values.
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
        """Parse, and refuse an unknown command or flag with the names that this parser has."""
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
