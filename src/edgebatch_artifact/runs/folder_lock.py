"""One run at a time in a folder: kernel locks, which end with the processes that hold them.

Snakemake's own lock outlives a run that is killed, and then refuses the same command; so it is switched
off in profiles/default, and these two files take its place. ``run.lock`` is held by a run. ``jobs.lock`` is
shared by its jobs, so that a new run can wait for the jobs that a killed run left at work.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from edgebatch.errors import InputError
from edgebatch_artifact.storage.files import not_written


def hold_folder(folder: Path) -> IO[str]:
    """Hold a folder for this process until the file that is returned is closed, at the latest by its end.

    Waits for the jobs of a run that was killed. Raises an `InputError` if another run holds the folder,
    with its process, its command and since when.
    """
    run_lock = _open(folder / "run.lock")
    if not _lock(run_lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
        holder = run_lock.read() or "another run"
        raise InputError("", holder, "no other run in this folder: wait for it, or end it", run_lock.name)
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    run_lock.truncate(0)
    run_lock.write(f"process {os.getpid()} on {platform.node()} since {since}: {shlex.join(sys.orig_argv)}")
    run_lock.flush()
    with _open(folder / "jobs.lock") as jobs_lock:
        if not _lock(jobs_lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
            print("artifact: waiting for the jobs of a run that was killed", file=sys.stderr, flush=True)
            _lock(jobs_lock, fcntl.LOCK_EX)
    return run_lock


@contextmanager
def job_at_work(folder: Path) -> Iterator[None]:
    """Let a run that begins wait until the block has ended, if any run has ever held the folder."""
    try:
        jobs_lock = (folder / "jobs.lock").open(encoding="utf-8")
    except OSError:
        yield
        return
    with jobs_lock:
        _lock(jobs_lock, fcntl.LOCK_SH)
        yield


def _open(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # read and written by every user who may write to the folder: their umask decides
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise not_written(path, error) from None


def _lock(file: IO[str], how: int) -> bool:
    file.seek(0)
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    return True
