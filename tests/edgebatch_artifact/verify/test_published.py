"""What is published, compared with what is made again here or on another platform."""

import json
import os

import pytest

from edgebatch_artifact.storage.files import sha256
from edgebatch_artifact.verify.outcome import Outcome
from edgebatch_artifact.verify.platform_record import Record, here
from edgebatch_artifact.verify.published import Published, read_published

OTHER = here() | {"machine": "another"}
FILES = {
    "figures/a.csv": (b"load,mean\n10,1.23456\n", b"load,mean\n10,1.23457\n"),
    "figures/a.pdf": (b"%PDF packed", b"%PDF packed otherwise"),
    "CLAIMS.md": (b"| 1.23 |\n", b"| 1.24 |\n"),
}


def _published(tmp_path, platform):
    """Files that are made again with other bytes, but the same but for rounding."""
    for folder, at in (("root", 0), ("again", 1)):
        (tmp_path / folder / "figures").mkdir(parents=True)
        for name, contents in FILES.items():
            (tmp_path / folder / name).write_bytes(contents[at])
    root = tmp_path / "root"
    digests = {path.name: sha256(path) for path in (root / "figures").iterdir()}
    return Published(root, tmp_path / "again", Record(platform, digests))


@pytest.mark.parametrize("name", FILES)
def test_other_bytes_pass_on_another_platform_alone(tmp_path, name):
    elsewhere = _published(tmp_path / "elsewhere", OTHER).compare("", name)
    ours = _published(tmp_path / "here", here()).compare("", name)
    assert (elsewhere.outcome, elsewhere.words) == (Outcome.CLOSE, "")
    assert ours.outcome is Outcome.DIFFERS
    assert "found " in ours.words


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("figures/")])
def test_a_figure_that_is_not_the_one_that_was_made_passes_nowhere(tmp_path, name):
    published = _published(tmp_path, OTHER)
    path = published.root / name
    path.write_bytes(path.read_bytes().replace(b"6", b"8").replace(b"packed", b"spoilt"))
    assert published.compare("", name).outcome is Outcome.DIFFERS


@pytest.mark.parametrize("name", ["figures/a.csv", "CLAIMS.md"])
def test_more_than_rounding_passes_nowhere(tmp_path, name):
    published = _published(tmp_path, OTHER)
    path = published.again / name
    path.write_bytes(path.read_bytes().replace(b"1.2", b"1.3"))
    assert published.compare("", name).outcome is Outcome.DIFFERS


def test_a_figure_with_the_right_bytes_and_another_digest_in_the_record_is_named(tmp_path):
    published = _published(tmp_path, here())
    for name in ("figures/a.pdf", "CLAIMS.md"):
        (published.again / name).write_bytes((published.root / name).read_bytes())
        assert published.compare("", name).outcome is Outcome.SAME
    published.record.sha256["a.pdf"] = "0" * 64
    check = published.compare("", "figures/a.pdf")
    assert check.outcome is Outcome.DIFFERS
    assert "digest" in check.words


def _record(tmp_path, text):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures/platform.json").write_text(text)
    return read_published(tmp_path, tmp_path)


def test_another_platform_is_named_with_what_is_tolerated_and_passes(tmp_path):
    published, check = _record(tmp_path, json.dumps({"platform": OTHER, "sha256": {}}))
    assert published.elsewhere
    assert check.passed
    assert f"machine another there, {here()['machine']} here" in check.words
    assert "6 pixels in place and 0.3 in colour" in check.words


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "found no such file"),
        ("{", "line 1, column 2: found the end of a line, expected JSON"),
        ('{"platfrom": {}, "sha256": {}}', "did you mean platform?"),
    ],
)
def test_a_record_that_cannot_be_used_is_named_and_bytes_have_to_be_the_same(tmp_path, text, told):
    published, check = _record(tmp_path, text or "")
    if text is None:
        os.remove(tmp_path / "figures/platform.json")
        published, check = read_published(tmp_path, tmp_path)
    assert not check.passed
    assert told in check.words
    assert not published.elsewhere
