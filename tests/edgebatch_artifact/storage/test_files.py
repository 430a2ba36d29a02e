import errno

import pytest

from edgebatch_artifact.storage.files import PART, NoRoom, remove_leftovers, replace, write, write_if_changed


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


def test_others_may_read_what_is_written(tmp_path):
    write(tmp_path / "file.txt", "text")
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == 0o644


def test_a_file_that_holds_the_text_already_keeps_its_identity(tmp_path):
    path = tmp_path / "file.txt"
    write_if_changed(path, "text")
    before = path.stat()
    write_if_changed(path, "text")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    write_if_changed(path, "other")
    assert path.read_text() == "other"


def test_a_file_that_is_not_text_is_replaced(tmp_path):
    (tmp_path / "file.txt").write_bytes(b"\xff\xfe")
    write_if_changed(tmp_path / "file.txt", "text")
    assert (tmp_path / "file.txt").read_text() == "text"
