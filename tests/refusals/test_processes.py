"""The same in processes of their own: standard error has one line, and nothing else is said."""

import re
import subprocess
import sys

import pytest

from tests.edgebatch.instance_files import text
from tests.edgebatch_artifact.spoilt import GOOD
from tests.refusals.refused import contents, one_line, says
from tests.workflow.checkout import copy_without_experiments, environment

SNAKEMAKE = ("-m", "snakemake", "--nocolor", "--cores", "1")
MINE = "conf/experiment/mine.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_without_experiments(tmp_path_factory.mktemp("refused") / "copy")


def _refusal(folder, *words):
    """The line on standard error with which Python refuses, having written nothing."""
    before = contents(folder)
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode in (1, 2)
    assert ended.stdout == ""
    assert contents(folder) == before
    # Snakemake names the options of every run, which stand in profiles/default
    said = re.sub(r"^Using workflow specific profile .*\n", "", ended.stderr)
    return one_line(said)


@pytest.mark.parametrize(
    ("old", "new", "config", "answer"),
    [
        ("workload.arrival_rate: 10,20", "workload.arival_rate: 10,20", (), f"{MINE}: hydra.sweeper.params.workload.arival_rate: found an unknown key, ..."),
        ("10,20", "range(0,1e9)", (), f"{MINE}: hydra.sweeper.params: found a sweep of 2000000000 settings ..."),
        ("", "", ("--config", "most_setings=5"), "--config: most_setings: found an unknown key, expected one of measurement, most_settings, scale (did you mean most_settings?)"),
    ],
)  # fmt: skip
def test_snakemake_says_one_line_and_makes_nothing(project, old, new, config, answer):
    (project / MINE).write_text(GOOD.replace(old, new))
    line = _refusal(project, *SNAKEMAKE, *config)
    assert says(line, f"artifact: {answer}"), line


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("-m edgebatch_artifact.cli simulate radio.user_power_dbm=1e300", "artifact: command line: radio.user_power_dbm: found 1e+300, ..."),
        ("-m edgebatch_artifact.runs.multirun --multirun +experiment=mine workload.arrival_rate=0,1", "artifact: command line: workload.arrival_rate: found 0.0, ..."),
        ("-m edgebatch_artifact.steps simulate none.json a", "artifact: none.json: found no such file, expected the file as snakemake stored it"),
    ],
)  # fmt: skip
def test_a_process_says_one_line_and_makes_nothing(project, words, answer):
    (project / MINE).write_text(GOOD)
    line = _refusal(project, *words.split())
    assert says(line, answer), line


def test_numbers_at_the_ends_of_floats_make_no_noise(tmp_path):
    slow = text(("cost",), {"roofline": {"memory_bandwidth_bytes_per_s": 1e-300}})
    (tmp_path / "slow.json").write_text(slow)
    words = ("-c", "from edgebatch.io.cli import main; raise SystemExit(main())", "solve", "slow.json")
    command = [sys.executable, *words, "--scheduler", "static_batching"]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )
    assert len(ended.stderr.splitlines()) == (1 if ended.returncode else 0), ended.stderr
