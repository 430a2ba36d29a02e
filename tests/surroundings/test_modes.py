"""Umasks, clones and stray files: the surroundings decide, and nothing breaks."""

import os
import shutil
import subprocess

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.runs.folder_lock import hold_folder
from edgebatch_artifact.runs.plan import Options, make_plan
from edgebatch_artifact.storage.files import write
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT, copy_conf


@pytest.fixture
def umask(request):
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077], indirect=True)
def test_the_umask_decides_who_may_read_and_write(tmp_path, umask):
    write(tmp_path / "folder/file.json", "{}")
    hold_folder(tmp_path / "folder").close()
    for path in (tmp_path / "folder").iterdir():
        assert path.stat().st_mode & 0o777 == 0o666 & ~umask, path
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o777 & ~umask


def test_a_clone_has_the_same_bytes_whatever_git_does_to_line_ends(tmp_path):
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("no git, or no checkout of it")
    clone = tmp_path / "clone"
    options = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf")
    command = ["git", *options, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)]
    subprocess.run(command, check=True, capture_output=True)
    for name in ("figures/regimes.csv", "CLAIMS.md", "paper/values.tex", "conf/config.yaml"):
        committed = subprocess.run(
            ["git", "show", f"HEAD:{name}"], cwd=ROOT, check=True, capture_output=True
        ).stdout
        assert (clone / name).read_bytes() == committed, name


GROUPS = sorted(path.name for path in (ROOT / "conf").iterdir() if path.is_dir())


@pytest.fixture
def conf(tmp_path):
    """A configuration with one experiment."""
    copy_conf(tmp_path / "conf")
    (tmp_path / "conf/experiment").mkdir()
    (tmp_path / "conf/experiment/mine.yaml").write_text(GOOD)
    return tmp_path / "conf"


def test_hidden_files_that_a_mac_leaves_in_groups_are_skipped(conf):
    for group in GROUPS:
        (conf / group / "._x.yaml").write_bytes(b"\x00\x05\x16\x07\xff\xfe")
    assert len(make_plan(conf, conf.parent / "results", Options()).runs) == 4


@pytest.mark.parametrize("group", GROUPS)
def test_a_file_that_is_not_utf_8_is_named_in_one_line(conf, group):
    used = {
        "experiment": "mine",
        "model": "bloom_3b",
        "scale": "full",
        "regime": "paper",
        "edge_node": "nominal",
    }
    path = conf / group / f"{used.get(group, min((conf / group).glob('*.yaml')).stem)}.yaml"
    path.write_bytes(path.read_bytes() + b"# caf\xe9\n")
    with pytest.raises(InputError) as refused:
        make_plan(conf, conf.parent / "results", Options())
    assert str(refused.value).startswith(f"conf/{group}/{path.name}: found byte ")
