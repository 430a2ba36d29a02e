import json

import pytest

from edgebatch_artifact.storage.sealed import is_sealed, read_sealed, seal

DATA = {"a": [1, 2.5, None], "name": "β"}


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(seal(DATA, "mine"), encoding="utf-8")
    return path


def test_what_is_sealed_is_read_back(sealed):
    assert is_sealed(sealed)
    assert read_sealed(sealed) == DATA


def test_a_sealed_file_is_json_for_everybody(sealed):
    digest, *others = json.loads(sealed.read_text())
    assert (digest, others) == ("digest", list(DATA))


def test_every_changed_byte_breaks_the_seal(sealed):
    content = sealed.read_bytes()
    for i in range(len(content)):
        sealed.write_bytes(content[:i] + bytes([content[i] ^ 1]) + content[i + 1 :])
        assert not is_sealed(sealed), i
        assert read_sealed(sealed) is None


def test_a_file_that_is_cut_short_at_any_byte_breaks_the_seal(sealed):
    content = sealed.read_bytes()
    for i in range(len(content)):
        sealed.write_bytes(content[:i])
        assert not is_sealed(sealed), i


def test_a_copy_under_another_name_is_not_sealed(sealed):
    assert not is_sealed(sealed.rename(sealed.with_name("other.json")))


def test_what_cannot_be_read_is_not_sealed(tmp_path):
    assert not is_sealed(tmp_path / "missing.json")
    assert not is_sealed(tmp_path)
