"""A result counts if it is just what was stored under its name."""

import json

import pytest

from edgebatch import InputError
from edgebatch.setting import identity
from edgebatch_artifact.runs.result_file import is_stored, read_result, result_path, store_result

SETTING = {"simulation": {"epochs": 1}}
NAME = f"{identity(SETTING)}-c0de00000000"
REPLICATES = [{"seed": 0, "throughput_per_s": 1.5}, {"seed": 1, "throughput_per_s": 2.5}]

DAMAGE = {
    "cut short": lambda text: text[: len(text) // 2],
    "another format": lambda text: text.replace('"edgebatch-run/2"', '"edgebatch-run/0"'),
    "an edited number": lambda text: text.replace('"seed": 1', '"seed": 2'),
    "empty": lambda text: "",
    "another code": lambda text: text.replace('"code": "', '"code": "0'),
    "another id": lambda text: text.replace('"id": "', '"id": "0'),
    "an edited setting": lambda text: text.replace('"epochs": 1', '"epochs": 2'),
    "no replicates": lambda text: json.dumps(json.loads(text) | {"replicates": []}, indent=1) + "\n",
    "not UTF-8": lambda text: "\udcff" + text,
}


def test_a_result_is_read_as_it_was_stored(tmp_path):
    assert not is_stored(tmp_path, NAME)
    store_result(tmp_path, NAME, SETTING, REPLICATES)
    assert is_stored(tmp_path, NAME)
    stored = read_result(tmp_path, NAME)
    assert (stored["setting"], stored["replicates"]) == (SETTING, REPLICATES)
    assert f"{stored['id']}-{stored['code']}" == NAME == result_path(tmp_path, NAME).stem


@pytest.mark.parametrize("how", DAMAGE)
def test_a_result_that_is_not_as_it_was_stored_is_refused(tmp_path, how):
    store_result(tmp_path, NAME, SETTING, REPLICATES)
    path = result_path(tmp_path, NAME)
    damaged = DAMAGE[how](path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged, errors="surrogateescape")
    assert not is_stored(tmp_path, NAME)
    with pytest.raises(InputError, match=rf"^.*{NAME}\.json: found other content, .* simulates it anew"):
        read_result(tmp_path, NAME)


def test_a_result_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InputError, match=rf"{NAME}\.json: found nothing"):
        read_result(tmp_path, NAME)


def test_a_result_under_the_name_of_another_is_refused(tmp_path):
    store_result(tmp_path, NAME, SETTING, REPLICATES)
    other = NAME.replace("c0de", "0000")
    result_path(tmp_path, NAME).rename(result_path(tmp_path, other))
    assert not is_stored(tmp_path, other)


def test_a_result_is_not_stored_under_the_name_of_another_setting(tmp_path):
    with pytest.raises(InputError, match=rf"{NAME}\.json: found another setting, expected that of {NAME}"):
        store_result(tmp_path, NAME, SETTING | {"more": 1}, REPLICATES)
    assert not result_path(tmp_path, NAME).exists()
