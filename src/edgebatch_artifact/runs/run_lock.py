"""One run at a time in one folder: a lock that the kernel frees when the last process of a run has ended."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import shlex
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError

STATE = Path(".snakemake")
"""Where Snakemake keeps what it knows of a folder."""


def take(state: Path = STATE) -> None:
    """Hold the lock of this folder until this process and all of its jobs have ended.

    Jobs that a killed run left at work are waited for, so that no two write the same file.

    Raises
    ------
    InputError
        If another run holds it, with its process, its command and since when.
    """
    state.mkdir(exist_ok=True)
    path = state / "run.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    told = False
    while not _is_ours(lock):
        holder = _holder(path)
        if holder is not None and _is_alive(holder):
            os.close(lock)
            raise InputError(
                "", _words(holder), "no other run in this folder: wait for it, or end it", str(path)
            )
        if not told:
            print(
                "artifact: waiting for the jobs that a killed run left at work", file=sys.stderr, flush=True
            )
            told = True
        time.sleep(0.2)
    _say_who(lock)
    # jobs inherit standard input, and no other open file: so the lock is free when the last of them ends
    os.dup2(lock, 0)
    os.set_inheritable(0, True)
    if lock:  # which is 0 already where standard input was closed
        os.close(lock)
    # whoever wrote these has ended, or they would hold ours
    shutil.rmtree(state / "locks", ignore_errors=True)


def _is_ours(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say_who(lock: int) -> None:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    command = shlex.join(sys.orig_argv)
    told = {"pid": os.getpid(), "host": platform.node(), "since": since, "command": command}
    os.ftruncate(lock, 0)
    os.pwrite(lock, json.dumps(told).encode(), 0)


def _holder(path: Path) -> dict[str, Any] | None:
    """Who took the lock; None while that is being written."""
    try:
        return dict(json.loads(path.read_bytes()))
    except ValueError:
        return None


def _is_alive(holder: dict[str, Any]) -> bool:
    if holder["host"] != platform.node():
        return True  # which cannot be seen from here
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _words(holder: dict[str, Any]) -> str:
    return f"process {holder['pid']} on {holder['host']} at work since {holder['since']}: {holder['command']}"
