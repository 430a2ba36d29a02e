import json

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.storage.files import sha256
from edgebatch_artifact.verify import platform_record
from edgebatch_artifact.verify.platform_record import differences, here, read_record, record
from tests.workflow.checkout import ROOT


@pytest.fixture
def files(tmp_path):
    """A record of two files, made on another platform."""
    figures = [tmp_path / "a.csv", tmp_path / "a.pdf"]
    for figure in figures:
        figure.write_text(figure.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(platform_record, "here", lambda: {"machine": "another"})
        record(tmp_path / "platform.json", figures)
    return tmp_path / "platform.json", figures


def test_the_record_says_where_files_were_made_and_their_digests(files):
    path, figures = files
    found = read_record(path)
    assert found.platform == {"machine": "another"}
    assert found.sha256 == {figure.name: sha256(figure) for figure in figures}


def test_the_same_bytes_made_elsewhere_leave_the_record_as_it_is(files):
    path, figures = files
    before = path.read_bytes()
    record(path, figures)
    assert path.read_bytes() == before


def test_other_bytes_are_recorded_with_the_platform_that_made_them(files):
    path, figures = files
    figures[1].write_text("drawn anew")
    record(path, figures)
    assert read_record(path).platform == here()
    assert read_record(path).sha256["a.pdf"] == sha256(figures[1])


def test_a_damaged_record_is_refused_when_read_and_replaced_when_written(files):
    path, figures = files
    path.write_bytes(b"\xff{")
    with pytest.raises(InputError, match=r"platform\.json"):
        read_record(path)
    record(path, figures)
    assert read_record(path).platform == here()


def test_this_platform_is_told_in_full_and_differs_from_another_in_what_is_changed():
    ours = here()
    assert all(ours.values())
    assert {"system", "machine", "python", "numpy", "numba", "matplotlib", "freetype"} < ours.keys()
    assert differences(ours) == ""
    there = differences(ours | {"numpy": "0.9"})
    assert there == f"numpy 0.9 there, {ours['numpy']} here"


def test_the_record_in_git_is_that_of_the_figures_in_git():
    folder = ROOT / "figures"
    digests = json.loads((folder / "platform.json").read_text())["sha256"]
    kept = {path.name: sha256(path) for path in folder.iterdir() if path.suffix in (".csv", ".pdf", ".png")}
    assert digests == kept
