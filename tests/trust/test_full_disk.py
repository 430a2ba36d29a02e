"""A disk that is full: one line says so, nothing is half-written, and the run goes on when there is room."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.trust.project import command, differing, published, small_project
from tests.workflow.checkout import execute

FULL = r"found a full disk, expected room for it"


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
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - number)


def test_a_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(finished, disk):
    expected = published(finished[0])
    folder = small_project(disk / "copy")
    room, stopped = 1_200_000, 0
    while True:
        _leave(disk, room)
        done = execute(folder, *command())
        found = published(folder)
        assert all(found[name] == expected[name] for name in found), "a file is half-written"
        assert list(folder.rglob(".part-*")) == []
        if done.returncode == 0:
            break
        stopped += 1
        assert FULL in done.stdout.splitlines()[-1], done.stdout[-3000:]
        assert "Traceback" not in done.stdout, done.stdout[-3000:]
        room += 300_000
        assert room < 20_000_000
    assert stopped >= 2
    assert differing(published(folder), expected) == []


def test_a_run_that_finds_the_disk_full_stops_before_it_begins(disk):
    folder = small_project(disk / "copy")
    _leave(disk, 100_000)
    done = execute(folder, *command())
    assert done.returncode != 0
    assert FULL in done.stdout.splitlines()[-1]
    assert not (folder / "results").exists()
