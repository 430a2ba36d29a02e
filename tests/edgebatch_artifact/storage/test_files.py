import errno
import hashlib
import os

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.storage.files import PART, NoRoom, remove_leftovers, replace, sha256, write


def test_a_file_is_written_with_its_folder(tmp_path):
    write(tmp_path / "new/folder/file.txt", "β\n")
    assert (tmp_path / "new/folder/file.txt").read_text(encoding="utf-8") == "β\n"


def test_a_failure_leaves_the_old_file_and_no_temporary_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def half(temporary):
        temporary.write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(path, half)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("old")

    def produce(temporary):
        temporary.write_text("new")
        assert path.read_text() == "old"
        assert temporary.parent == path.parent
        assert temporary.suffix == ".csv"
        assert temporary.name.startswith(PART)

    replace(path, produce)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_told_with_the_file_and_leaves_the_old_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")

    def produce(temporary):
        temporary.write_text("ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(NoRoom, match=r"file\.txt: found a full disk"):
        replace(path, produce)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_half_written_is_removed_and_nothing_else(tmp_path):
    kept = [tmp_path / "results/runs/a.json", tmp_path / "figures/a.pdf", tmp_path / "other/.part-mine"]
    parts = [tmp_path / "results/runs/.part-x.json", tmp_path / "figures/.part-x.pdf"]
    for path in (*kept, *parts):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    remove_leftovers(tmp_path / "results", [tmp_path / "figures", tmp_path / "missing"])
    assert [path.exists() for path in (*kept, *parts)] == [True, True, True, False, False]


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_the_umask_decides_who_may_read_and_write_a_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write(tmp_path / "file.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == mode


def test_a_file_in_place_of_a_folder_is_named(tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(
        InputError, match=r"folder/sub/file\.txt: found .*folder, a file in place of a folder"
    ):
        write(tmp_path / "folder/sub/file.txt", "text")
    assert (tmp_path / "folder").read_text() == "a file"


def test_the_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"\xff\r\n")
    assert sha256(tmp_path / "file") == hashlib.sha256(b"\xff\r\n").hexdigest()
