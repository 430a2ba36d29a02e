import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.settings.conf_folder import files, groups, is_global, read_file


@pytest.fixture
def conf(tmp_path):
    """A folder of two groups, with what editors and file managers leave behind."""
    for name in ("config", "model/a", "model/b", "radio/r", "model/deeper/c", ".git/hidden", "model/._a"):
        path = tmp_path / f"conf/{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("layers: 5.0e1\n")
    (tmp_path / "conf/model/notes.txt").write_text("not YAML")
    return tmp_path / "conf"


def test_groups_are_folders_with_the_names_of_their_files_in_order(conf):
    assert groups(conf) == {"model": ("a", "b"), "radio": ("r",)}


def test_a_hidden_file_is_no_file_of_the_configuration(conf):
    assert (conf / "model/._a.yaml").exists()
    assert not [path for path in files(conf) if path.name.startswith(".")]


def test_the_wrong_ending_is_refused_by_name(conf):
    (conf / "radio/s.yml").write_text("")
    with pytest.raises(InputError, match=r"^conf/radio/s\.yml: .*the ending \.yaml"):
        files(conf)


def test_a_folder_without_configuration_is_refused(conf):
    (conf / "config.yaml").unlink()
    with pytest.raises(InputError, match=r"found no config\.yaml"):
        groups(conf)


def test_a_number_with_an_exponent_is_a_number(conf):
    assert read_file(conf, "model", "a") == {"layers": 50.0}


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("# @package _global_\na: 1\n", True),
        ("\n#@package _global_  \n", True),
        ("# @package model\n", False),
        ("a: 1\n# @package _global_\n", False),
        ("", False),
    ],
)
def test_a_file_is_global_if_its_first_line_says_so(conf, text, whole):
    (conf / "model/a.yaml").write_text(text)
    assert is_global(conf / "model/a.yaml", "conf/model/a.yaml") is whole
