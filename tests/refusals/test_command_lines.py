"""A command line that cannot be used: the words, and the line that answers them."""

import functools
import json
import shutil
import sys

import pytest

from edgebatch.io import cli as edgebatch
from edgebatch_artifact import cli as artifact
from edgebatch_artifact.runs import batch, multirun, simulate
from tests.edgebatch.instance_files import text
from tests.refusals.refused import refusal, says
from tests.workflow.checkout import ROOT

NO_FILE, NO_JSON = "found no such file or directory, expected a readable file", "expected JSON"
DRAW = "draw good.json none.csv"
POINT = '{"id": "i", "run": "none/run.json", "axes": {}}'
EXPERIMENT = f'{{"name": "e", "figure": {{}}, "labels": {{}}, "points": [{POINT}]}}'
FILES = {
    "good.json": EXPERIMENT,
    "epoch.json": text(),
    "broken.json": "{",
    "list.json": "[]",
    "empty.json": "",
    "deep.json": "[" * 100_000,
    "nan.json": '{"name": NaN}',
    "twice.json": '{"name": "a", "name": "b"}',
    "batch.json": '{"experiments": ["e"], "runs": []}',
    "short.json": '{"experiments": ["e"]}',
    "run.json": '{"experiments": ["e"], "runs": [{"setting": 3}]}',
    "empty.csv": "",
    "torn.csv": 'a,b\n1,2\n"3',
}
SETTING = "a mapping with system, radio, workload, scheduler, simulation"

SOLVE = [
    ("", "edgebatch: command line: ...COMMAND (edgebatch --help tells more)"),
    ("solv epoch.json", "edgebatch: command line: COMMAND: found 'solv', expected one of schedulers, solve (did you mean solve?) ..."),
    ("solve", "edgebatch solve: command line: ...FILE (edgebatch solve --help tells more)"),
    ("solve epoch.json --jsn", "edgebatch solve: command line: found '--jsn', expected one of ... (did you mean --json?) ..."),
    ("solve epoch.json --json=yes", "edgebatch solve: command line: ...--json..."),
    ("solve epoch.json --schedular=dftsp", "edgebatch solve: command line: found '--schedular', expected one of ... (did you mean --scheduler?) ..."),
    ("solve epoch.json --scheduler", "edgebatch solve: command line: ...--scheduler..."),
    ("solve epoch.json other.json", "edgebatch solve: command line: found 'other.json', expected one of --help, --json, --scheduler, -h..."),
    ("solve epoch.json --scheduler dfstp", "edgebatch: --scheduler: found 'dfstp', expected one of ... (did you mean dftsp?)"),
    ("solve epoch.json --scheduler=", "edgebatch: --scheduler: found '', expected one of ..."),
    ("solve epoch.json --scheduler _admission", "edgebatch: --scheduler: found '_admission', expected one of ..."),
    ("solve none.json", f"edgebatch: none.json: {NO_FILE}"),
    ("solve .", "edgebatch: .: found a directory, expected a readable file"),
    ("solve broken.json", f"edgebatch: broken.json: line 1, column 2: found the end of a line, {NO_JSON} (...)"),
    ("schedulers --all", "edgebatch schedulers: command line: found '--all', expected one of --help, -h ..."),
]  # fmt: skip

ARTIFACT = [
    ("", "artifact: command line: ...COMMAND (artifact --help tells more)"),
    ("simulat", "artifact: command line: COMMAND: found 'simulat', expected one of archive, collect, conclude, draw, record, report, simulate, verify (did you mean simulate?) ..."),
    ("simulate --jsn", "artifact simulate: command line: found '--jsn', expected one of ... (did you mean --json?) ..."),
    ("simulate --conf", "artifact simulate: command line: ...--conf..."),
    ("simulate --conf none", "artifact: none: found no config.yaml, expected the folder of the configuration"),
    ("collect", "artifact collect: command line: ...experiment, --samples, --points ..."),
    ("collect none.json --samples a.csv --points b.csv", f"artifact: none.json: {NO_FILE}"),
    ("collect broken.json --samples a.csv --points b.csv", f"artifact: broken.json: line 1, column 2: found the end of a line, {NO_JSON} (...)"),
    ("collect list.json --samples a.csv --points b.csv", "artifact: list.json: found a list of 0, expected a mapping with name, figure, labels, points"),
    ("collect nan.json --samples a.csv --points b.csv", "artifact: nan.json: name: found nan, expected a text"),
    ("collect twice.json --samples a.csv --points b.csv", "artifact: twice.json: name: found the key twice, expected each key once"),
    ("collect deep.json --samples a.csv --points b.csv", "artifact: deep.json: found nesting without end, expected JSON of a few levels"),
    ("collect good.json --samples a.csv --points b.csv", "artifact: none/run.json: found nothing, expected the run run as it was stored (the same command again simulates it anew)"),
    (f"{DRAW} a.pdf", "artifact: none.csv: found no such file or directory, expected a CSV file"),
    (f"{DRAW} a.jpg", "artifact: command line: files: found a.jpg, expected a file that ends in .pdf, .png, .tex or .json"),
    (f"{DRAW}", "artifact draw: command line: ...files ..."),
    ("draw good.json empty.csv a.pdf", "artifact: empty.csv: found ..., expected a CSV file"),
    ("draw good.json torn.csv a.pdf", "artifact: torn.csv: found ..., expected a CSV file"),
    ("draw empty.json empty.csv a.pdf", f"artifact: empty.json: line 1, column 1: found the end of a line, {NO_JSON} (...)"),
    ("conclude --work none", "artifact: --work: found none with no experiment, expected experiments/throughput_vs_accuracy.json among others"),
    ("conclude --works none", "artifact conclude: command line: found '--works', expected one of ... (did you mean --work?) ..."),
    ("conclude none", "artifact conclude: command line: found 'none', expected one of ..."),
]  # fmt: skip

CODE = "--code 012345678901"
JOBS = [
    (simulate, "", "python -m edgebatch_artifact.runs.simulate: command line: ...setting, result, --code ..."),
    (simulate, "none.json r.json", "python -m edgebatch_artifact.runs.simulate: command line: ...--code ..."),
    (simulate, f"none.json r.json {CODE} --cod", "python -m edgebatch_artifact.runs.simulate: command line: found '--cod', expected one of ... (did you mean --code?) ..."),
    (simulate, f"none.json r.json {CODE}", f"artifact: none.json: {NO_FILE}"),
    (simulate, f". r.json {CODE}", "artifact: .: found a directory, expected a readable file"),
    (simulate, f"broken.json r.json {CODE}", f"artifact: broken.json: line 1, column 2: found the end of a line, {NO_JSON} (...)"),
    (simulate, f"list.json r.json {CODE}", f"artifact: list.json: found a list of 0, expected {SETTING}"),
    (simulate, f"deep.json r.json {CODE}", "artifact: deep.json: found nesting without end, expected JSON of a few levels"),
    (simulate, f"good.json r.json {CODE}", "artifact: good.json: name: found an unknown key, expected one of ..."),
    (batch, "batch.json", "python -m edgebatch_artifact.runs.batch: command line: ...done, --experiments ..."),
    (batch, "none.json a.done --experiments all", f"artifact: none.json: {NO_FILE}"),
    (batch, "broken.json a.done --experiments all", f"artifact: broken.json: line 1, column 2: found the end of a line, {NO_JSON} (...)"),
    (batch, "short.json a.done --experiments all", "artifact: short.json: runs: found nothing, expected a value for runs"),
    (batch, "run.json a.done --experiments all", "artifact: run.json: runs[0].setting: found 3, expected a text"),
    (batch, "batch.json a.done --experiments none", "artifact: --experiments: found no experiment in none, expected the folder of all experiments"),
]  # fmt: skip

MULTIRUN = [
    ("--multirn", "--multirn: found an unknown flag, expected one of ... (did you mean --multirun?)"),
    ("--multirun +experiment=regime", "experiment: found 'regime', expected one of ... (did you mean regimes?)"),
    ("--multirun +experiment=regimes workload.arival_rate=3,4", "workload.arival_rate: found an unknown key, expected one of ... (did you mean workload.arrival_rate?)"),
    ("--multirun +experiment=regimes model=bloom_3b,bloom_7b", "model: found 'bloom_7b', expected one of ... (did you mean bloom_7b1?)"),
    ("--multirun +experiment=regimes workload.arrival_rate=0,1", "workload.arrival_rate: found 0.0, expected a number above 0"),
    ("--multirun +experiment=regimes workload.arrival_rate=", "hydra.sweeper.params.workload.arrival_rate: found an empty sweep, expected at least one value"),
    ("--multirun +experiment=regimes workload.arrival_rate=range(0,1000000000)", "hydra.sweeper.params: found a sweep of 1000000000 settings, expected at most 5000, or the override most_settings=1000000000 to go on"),
    ("+experiment=regimes workload.arrival_rate=1,2", "found ..., expected what Hydra can compose"),
    ("nonsense", "nonsense: found no value, expected key=value"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "all").mkdir()
    shutil.copy(tmp_path / "good.json", tmp_path / "all")
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


@pytest.mark.parametrize(("job", "words", "answer"), JOBS, ids=[row[1] for row in JOBS])
def test_a_job_refuses_words_that_it_cannot_use(folder, capsys, job, words, answer):
    line = _line(capsys, folder, job.main, words)
    assert says(line, answer), line


@pytest.mark.parametrize(("words", "answer"), MULTIRUN, ids=[row[0] for row in MULTIRUN])
def test_plain_hydra_refuses_words_that_it_cannot_use(folder, capsys, monkeypatch, words, answer):
    (folder / "conf").symlink_to(ROOT / "conf")
    monkeypatch.setattr(sys, "argv", ["multirun", *words.split()])
    line = _line(capsys, folder, lambda _: multirun.main(), words)
    assert says(line, f"artifact: command line: {answer}"), line


def test_a_result_that_cannot_be_written_is_refused_by_name(folder, capsys):
    setting = folder / "setting.json"
    assert artifact.main(["simulate", "--conf", str(ROOT / "conf"), "--json", "simulation.seeds=1"]) == 0
    setting.write_text(json.dumps(json.loads(capsys.readouterr().out)["setting"]))
    words = f"setting.json broken.json/r.json {CODE}"
    answer = "artifact: broken.json/r.json: found a file in place of its folder, expected a file that can be written"
    line = _line(capsys, folder, simulate.main, words)
    assert says(line, answer), line
