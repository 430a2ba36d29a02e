"""A command line that cannot be used: the words, and the line that answers them."""

import functools
import sys

import pytest

from edgebatch.errors import InputError
from edgebatch.io import cli as edgebatch
from edgebatch.setting import identity
from edgebatch_artifact import cli as artifact
from edgebatch_artifact import steps
from edgebatch_artifact.runs import multirun
from edgebatch_artifact.runs.result_file import store_result
from edgebatch_artifact.settings.experiments.experiment import Experiment, Point
from edgebatch_artifact.settings.experiments.figure import Figure, Measure
from edgebatch_artifact.storage.sealed import seal
from tests.edgebatch.instance_files import text
from tests.refusals.refused import refusal, says
from tests.workflow.checkout import ROOT

NO_FILE, NO_JSON = "found no such file or directory, expected a readable file", "expected JSON"
FIGURE = Figure("Load", "Load.", "bars", Measure({"throughput_per_s": "Throughput"}, "Throughput"))
EXPERIMENT = Experiment("good", FIGURE, {}, (Point("i", "dftsp", {}),), {"i": {}}, 1, {"dftsp": "c"})
GOOD = seal({"key": "", "content": EXPERIMENT.as_dict()}, "good")
FILES = {
    "good.json": GOOD,
    "torn.json": GOOD[: len(GOOD) // 2],
    "epoch.json": text(),
    "broken.json": "{",
    "list.json": "[]",
    "empty.json": "",
    "deep.json": "[" * 100_000,
    "empty.csv": "",
    "torn.csv": 'a,b\n1,2\n"3',
}

SOLVE = [
    ("", "edgebatch: command line: the following arguments are required: COMMAND (edgebatch --help tells more)"),
    ("solv epoch.json", "edgebatch: command line: COMMAND: found 'solv', expected one of replay, schedulers, solve (did you mean solve?) ..."),
    ("solve", "edgebatch solve: command line: the following arguments are required: FILE (edgebatch solve --help tells more)"),
    ("solve epoch.json --jsn", "edgebatch solve: command line: found '--jsn', expected one of ... (did you mean --json?) ..."),
    ("solve epoch.json --json=yes", "edgebatch solve: command line: argument --json: ignored explicit argument 'yes' ..."),
    ("solve epoch.json --schedular=dftsp", "edgebatch solve: command line: found '--schedular', expected one of ... (did you mean --scheduler?) ..."),
    ("solve epoch.json --scheduler", "edgebatch solve: command line: argument --scheduler: expected one argument ..."),
    ("solve epoch.json other.json", "edgebatch solve: command line: found 'other.json', expected one of --help, --json, --method, --scheduler, -h..."),
    ("solve epoch.json --scheduler dfstp", "edgebatch: --scheduler: found 'dfstp', expected one of ... (did you mean dftsp?)"),
    ("solve epoch.json --scheduler=", "edgebatch: --scheduler: found '', expected one of ..."),
    ("solve epoch.json --scheduler _admission", "edgebatch: --scheduler: found '_admission', expected one of ..."),
    ("solve none.json", f"edgebatch: none.json: {NO_FILE}"),
    ("solve .", "edgebatch: .: found a directory, expected a readable file"),
    ("solve broken.json", f"edgebatch: broken.json: line 1, column 2: found the end of a line, {NO_JSON} (expecting property name ...)"),
    ("schedulers --all", "edgebatch schedulers: command line: found '--all', expected one of --help, -h ..."),
]  # fmt: skip

ARTIFACT = [
    ("", "artifact: command line: the following arguments are required: COMMAND (artifact --help tells more)"),
    ("simulat", "artifact: command line: COMMAND: found 'simulat', expected one of archive, calibrate, compress, measure, simulate, verify (did you mean simulate?) ..."),
    ("simulate --jsn", "artifact simulate: command line: found '--jsn', expected one of ... (did you mean --json?) ..."),
    ("simulate --conf", "artifact simulate: command line: argument --conf: expected one argument ..."),
    ("simulate --conf none", "artifact: none: found no config.yaml, expected the folder of the configuration"),
    ("archive none", "artifact archive: command line: found 'none', expected one of ..."),
]  # fmt: skip

STORED = "expected the file as snakemake stored it"
STEPS = [
    ("", "command line: STEP: found '', expected one of calibrate, collect, conclude, draw, record, report, simulate, typeset, walk_through"),
    ("colect", "command line: STEP: found 'colect', expected one of ... (did you mean collect?)"),
    ("collect a.json", "command line: collect: found 1 argument, expected experiment samples numbers"),
    ("collect a.json b.csv c.csv d.csv", "command line: collect: found 4 arguments, expected experiment samples numbers"),
    ("collect none.json b.csv c.csv", f"none.json: found no such file, {STORED}"),
    *((f"collect {name} b.csv c.csv", f"{name}: found other content, {STORED}") for name in ("broken.json", "list.json", "empty.json", "deep.json", "torn.json", "all")),
    ("collect good.json b.csv c.csv", "results/runs/i-c.json: found nothing, expected the run i-c as it was stored (the same command again simulates it anew)"),
    ("draw good.json none.csv a.csv a.pdf a.png a.tex a.json", "none.csv: found no such file or directory, expected a CSV file"),
    ("draw good.json empty.csv a.csv a.pdf a.png a.tex a.json", "empty.csv: found No columns to parse from file, expected a CSV file"),
    ("draw good.json torn.csv a.csv a.pdf a.png a.tex a.json", "torn.csv: found ..., expected a CSV file"),
    ("conclude none .", "none/experiments: found no experiment, expected what snakemake makes first"),
    ("report none . layout full", "none/experiments: found no experiment, expected what snakemake makes first"),
    ("simulate none.json i", f"none.json: found no such file, {STORED}"),
    ("simulate good.json j", "command line: ID: found 'j', expected a setting of good"),
]  # fmt: skip

MULTIRUN = [
    ("--multirn", "--multirn: found an unknown flag, expected one of ... (did you mean --multirun?)"),
    ("--multirun +experiment=regime", "experiment: found 'regime', expected one of ... (did you mean regimes?)"),
    ("--multirun +experiment=regimes workload.arival_rate=3,4", "workload.arival_rate: found an unknown key, expected one of ... (did you mean workload.arrival_rate?)"),
    ("--multirun +experiment=regimes model=bloom_3b,bloom_7b", "model: found 'bloom_7b', expected one of ... (did you mean bloom_7b1?)"),
    ("--multirun +experiment=regimes workload.arrival_rate=0,1", "workload.arrival_rate: found 0.0, expected a number above 0"),
    ("--multirun +experiment=regimes workload.arrival_rate=", "hydra.sweeper.params.workload.arrival_rate: found an empty sweep, expected at least one value"),
    ("--multirun +experiment=regimes workload.arrival_rate=range(0,1000000000)", "hydra.sweeper.params: found a sweep of 1000000000 settings, expected at most 5000, or the override most_settings=1000000000 to go on"),
    ("+experiment=regimes workload.arrival_rate=1,2", "found Ambiguous value for argument ..., expected what Hydra can compose"),
    ("nonsense", "nonsense: found no value, expected key=value"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "all").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _line(capsys, folder, run, words):
    return refusal(capsys, folder, functools.partial(run, words.split()))


@pytest.mark.parametrize(("words", "answer"), SOLVE, ids=[row[0] for row in SOLVE])
def test_edgebatch_refuses_words_that_it_cannot_use(folder, capsys, words, answer):
    line = _line(capsys, folder, edgebatch.main, words)
    assert says(line, answer), line


@pytest.mark.parametrize(("words", "answer"), ARTIFACT, ids=[row[0] for row in ARTIFACT])
def test_artifact_refuses_words_that_it_cannot_use(folder, capsys, words, answer):
    (folder / "conf").symlink_to(ROOT / "conf")
    line = _line(capsys, folder, artifact.main, words)
    assert says(line, answer), line


@pytest.mark.parametrize(("words", "answer"), STEPS, ids=[row[0] for row in STEPS])
def test_a_step_refuses_words_that_it_cannot_use(folder, capsys, words, answer):
    line = _line(capsys, folder, steps.main, words)
    assert says(line, f"artifact: {answer}"), line


@pytest.mark.parametrize(("words", "answer"), MULTIRUN, ids=[row[0] for row in MULTIRUN])
def test_plain_hydra_refuses_words_that_it_cannot_use(folder, capsys, monkeypatch, words, answer):
    (folder / "conf").symlink_to(ROOT / "conf")
    monkeypatch.setattr(sys, "argv", ["multirun", *words.split()])
    line = _line(capsys, folder, lambda _: multirun.main(), words)
    assert says(line, f"artifact: command line: {answer}"), line


def test_a_result_that_cannot_be_written_is_refused_by_name(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(InputError) as refused:
        store_result(tmp_path, f"{identity({})}-c", {}, [])
    where = tmp_path / f"runs/{identity({})}-c.json"
    found = f"found {tmp_path / 'runs'}, a file in place of a folder"
    assert str(refused.value) == f"{where}: {found}, expected a file that can be written"
