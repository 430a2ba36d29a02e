import pytest

from edgebatch_artifact.runs.made_files import changed, remember


@pytest.fixture
def made(tmp_path):
    """Two files that a run left, the third that it should have made, and the ledger."""
    files = [str(tmp_path / name) for name in ("a.csv", "b.pdf", "missing.png")]
    for file in files[:2]:
        with open(file, "w") as opened:
            opened.write("12")
    remember(files, tmp_path / "made.json")
    return files, tmp_path / "made.json"


def test_files_that_are_as_they_were_left_are_not_changed(made):
    assert changed(*made) == []


@pytest.mark.parametrize("content", ["", "1", "13", "123"])
def test_a_file_with_other_content_is_changed(made, content):
    files, ledger = made
    with open(files[1], "w") as opened:
        opened.write(content)
    assert changed(files, ledger) == [files[1]]


def test_a_file_that_is_gone_or_that_was_not_known_is_not_changed(made, tmp_path):
    files, ledger = made
    (tmp_path / "a.csv").unlink()
    (tmp_path / "missing.png").write_text("new")
    assert changed(files, ledger) == []


@pytest.mark.parametrize("damage", ["", "{}", '{"digests": {}}'])
def test_a_damaged_ledger_knows_nothing(made, damage):
    files, ledger = made
    ledger.write_text(damage)
    with open(files[0], "w") as opened:
        opened.write("other")
    assert changed(files, ledger) == []
