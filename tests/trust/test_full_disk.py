"""A disk that is full: one line says so, nothing is half-written, and the run goes on when there is room."""

import os
import random
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.trust.project import command, differing, published, small_project, start
from tests.workflow.checkout import execute

FULL = "found a full disk, expected room for it"
PLENTY = 20_000_000


@pytest.fixture
def disk(tmp_path):
    """A disk of 32 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=32m", "tmpfs", os.fspath(place)],
            capture_output=True,
            check=False,
        ).returncode
    ):
        pytest.skip("mounting a small disk is not permitted")
    yield place
    subprocess.run(["umount", "--lazy", os.fspath(place)], check=True)


def _leave(disk: Path, number: int) -> None:
    """Fill the disk until `number` bytes are left."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    while (size := shutil.disk_usage(disk).free - number) > 0:
        # a run that is at work may take some of it meanwhile
        with suppress(OSError), filler.open("ab") as file:
            os.posix_fallocate(file.fileno(), file.tell(), size)


def test_a_run_whose_disk_fills_up_says_so_and_goes_on_when_there_is_room(finished, disk, tmp_path):
    expected, seconds = published(finished[0]), finished[1]
    folder, log = small_project(disk / "copy"), tmp_path / "run.log"
    draw, stopped = random.Random(4), 0
    for _ in range(4):
        log.write_text("")
        _leave(disk, PLENTY)
        process = start(folder, log)
        time.sleep(draw.uniform(3, 0.6 * seconds))
        _leave(disk, 0)
        if process.wait():
            stopped += 1
            assert FULL in log.read_text().splitlines()[-1], log.read_text()[-3000:]
        found = published(folder)
        assert all(found[name] == expected[name] for name in found), "a file is half-written"
    assert stopped
    (disk / "filler").unlink()
    done = execute(folder, *command())
    assert done.returncode == 0, done.stdout
    assert differing(published(folder), expected) == []
    assert list(folder.rglob(".part-*")) == []


def test_a_run_that_finds_the_disk_full_stops_before_it_begins(disk):
    folder = small_project(disk / "copy")
    _leave(disk, 100_000)
    done = execute(folder, *command())
    assert done.returncode != 0
    assert FULL in done.stdout.splitlines()[-1]
    assert not (folder / "results").exists()
