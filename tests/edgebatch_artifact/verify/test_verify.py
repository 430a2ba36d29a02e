"""A tree that agrees is verified; whatever does not is named."""

import json
import os
import shutil
from pathlib import Path

import pytest

from edgebatch_artifact.cli import main
from edgebatch_artifact.runs.result_file import read_result, result_path
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES
from edgebatch_artifact.verify import results as results_module
from edgebatch_artifact.verify.outcome import Outcome
from edgebatch_artifact.verify.published import CONCLUSIONS
from edgebatch_artifact.verify.results import Resimulation, check_results, simulate_again
from tests.edgebatch_artifact.small_tree import EXPERIMENT, make_tree

FIGURE, TABLE = f"figures/{EXPERIMENT}", f"paper/tables/{EXPERIMENT}.tex"
RESULTS = Path("results")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return folder, make_tree()


@pytest.fixture
def plan(made, tmp_path, monkeypatch):
    """The plan of a tree in the working directory, to damage."""
    monkeypatch.chdir(shutil.copytree(made[0], tmp_path / "tree"))
    return made[1]


@pytest.fixture
def runs(plan):
    """Its four runs."""
    assert len(plan.runs) == 4
    return plan.runs


def _file(run):
    return str(result_path(RESULTS, run.result))


def _verify(capsys, *arguments):
    """Exit status; the files that are named, with what is said of each; and the summary."""
    status = main(["verify", *arguments])
    streams = capsys.readouterr()
    assert streams.err == ""
    lines = streams.out.splitlines()
    end = next(i for i, line in enumerate(lines) if line.startswith("platform "))
    return status, dict(line.split(": ", 1) for line in lines[:end]), "\n".join(lines[end:])


def _content(folder=Path()):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _edit(path, old, new):
    text = Path(path).read_text(encoding="utf-8")
    assert old in text, path
    Path(path).write_text(text.replace(old, new, 1), encoding="utf-8")


def _flip(path):
    """Change one byte in the middle of a file."""
    content = bytearray(Path(path).read_bytes())
    content[len(content) // 2] ^= 1
    Path(path).write_bytes(content)


def test_a_tree_as_it_was_made_is_verified_and_not_touched(runs, capsys):
    before = _content()
    status, named, said = _verify(capsys, "--sample", "2", "--seed", "7")
    assert (status, named) == (0, {})
    assert "results                   4 agree to the last byte" in said
    assert "settings simulated again  2 agree to the last byte" in said
    assert "everything agrees" in said
    assert "--seed 7" in said
    assert _content() == before


def test_every_text_that_is_published_is_one_that_is_compared(runs):
    calibrated = [f"paper/tables/{name}.tex" for name in CALIBRATION_TABLES]
    published = {*Path("paper").rglob("*.tex"), *Path().glob("*.md")}
    assert {path.as_posix() for path in published} == {*CONCLUSIONS, TABLE, *calibrated}


def test_every_damaged_file_is_named_and_no_other(runs, capsys):
    # among the others the PDF: it is what the results give, and not what the edited CSV would
    damage = {
        f"{FIGURE}.csv": lambda path: _edit(path, "throughput_per_s,", "throughput_per_s,1"),
        f"{FIGURE}.png": _flip,
        TABLE: lambda path: _edit(path, "\\toprule", "\\midrule"),
        "paper/tables/models.tex": os.remove,
        "paper/values.tex": lambda path: _edit(path, "/settings}{4}", "/settings}{5}"),
        "CLAIMS.md": lambda path: _edit(path, "Every verdict", "Nearly every verdict"),
        "ASSUMPTIONS.md": lambda path: _edit(path, "do not edit", "edit"),
        "figures/of_old.csv": lambda path: Path(path).write_text("seeds\n20\n"),
    }
    for path, spoil in damage.items():
        spoil(path)
    status, named, said = _verify(capsys, "--sample", "0")
    assert status == 1
    assert named.keys() == damage.keys()
    assert all(", expected " in words and words.count("found ") == 1 for words in named.values())
    assert "found '\\\\midrule', expected '\\\\toprule'" in named[TABLE]
    assert "Not verified" in said


def test_a_missing_run_is_named_with_what_could_not_be_verified_for_want_of_it(runs, capsys):
    missing = _file(runs[0])
    Path(missing).unlink()
    status, named, said = _verify(capsys, "--sample", "0")
    assert status == 1
    assert named[missing] == f"found no result, expected that of {runs[0].words}"
    assert named.keys() == {missing, f"{FIGURE}.csv", *CONCLUSIONS}
    assert "results             3 agree to the last byte, 1 not verified" in said
    assert "Not verified: `make reproduce`" in said


def test_without_results_pictures_are_compared_with_their_csv_and_the_rest_is_open(runs, capsys):
    shutil.rmtree("results")
    _flip(f"{FIGURE}.png")
    status, named, said = _verify(capsys)
    assert status == 1
    assert named["results/runs"] == "found no result, expected 4"
    assert "for want of results" in named[f"{FIGURE}.csv"]
    assert f"{FIGURE}.png" in named
    assert f"{FIGURE}.pdf" not in named
    assert "delete what differs, then `make reproduce`" in said
    assert not Path("results").exists()


def test_without_results_nothing_is_drawn_from_a_csv_that_was_edited(runs, capsys):
    shutil.rmtree("results")
    Path(f"{FIGURE}.csv").write_text("not a table of points\n")
    status, named, _ = _verify(capsys)
    assert status == 1
    assert "expected those that were drawn" in named[f"{FIGURE}.csv"]
    assert "cannot be relied on" in named[f"{FIGURE}.png"]


def test_files_between_results_and_figures_are_not_trusted(runs, capsys):
    # verified from conf/ and results alone, whatever the cache and the collected tables say
    for path in [*RESULTS.rglob("*.csv"), *RESULTS.glob("experiments/*"), RESULTS / "nominal.json"]:
        path.write_text("spoilt")
    status, named, _ = _verify(capsys, "--sample", "0")
    assert (status, named) == (0, {})


def _resulting(runs):
    """What is said of each result that is not as it should be."""
    return {check.file: check.words for check in check_results(runs, RESULTS) if not check.passed}


def test_a_result_that_is_cut_short_is_named(runs):
    path = Path(_file(runs[1]))
    path.write_bytes(path.read_bytes()[:-100])
    assert _resulting(runs).keys() == {_file(runs[1])}


def test_the_result_of_other_code_alone_is_no_result_and_is_named(runs):
    path = Path(_file(runs[2]))
    other = path.with_name(f"{runs[2].id}-{'0' * 12}.json")
    path.rename(other)
    named = _resulting(runs)
    assert named.keys() == {_file(runs[2])}
    assert other.stem in named[_file(runs[2])]


@pytest.mark.parametrize("change", [{"code": "0" * 12}, {"setting": {"simulation": {"epochs": 2}}}])
def test_a_result_that_holds_another_setting_or_code_than_its_name_says_is_named(runs, monkeypatch, change):
    monkeypatch.setattr(results_module, "read_result", lambda *where: read_result(*where) | change)
    assert _resulting(runs).keys() == {_file(run) for run in runs}


def _again(plan, sample, seed=0, elsewhere=False, runs=None):
    settings = plan.experiments[EXPERIMENT].settings
    chosen = Resimulation(sample, seed)
    checks = simulate_again(runs or plan.runs, RESULTS, settings, elsewhere, chosen, lambda doing: None)
    return {check.file: check for check in checks}


def test_a_seed_decides_which_settings_are_simulated_again(runs):
    chosen = [Resimulation(2, seed).of(runs) for seed in range(6)]
    assert all(len({run.result for run in sample}) == 2 for sample in chosen)
    assert chosen == [Resimulation(2, seed).of(runs[::-1]) for seed in range(6)]
    assert len({tuple(sample) for sample in chosen}) > 1
    assert set(Resimulation(99, 0).of(runs)) == set(runs)


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.parametrize(("factor", "close"), [(1 + 1e-12, True), (1.001, False)])
def test_a_number_of_a_result_that_does_not_come_out_again_is_named(
    plan, monkeypatch, factor, close, elsewhere
):
    spoilt = plan.runs[0]

    def spoiling(results, name):
        stored = read_result(results, name)
        if name == spoilt.result:
            stored["replicates"][0]["memory_load"] *= factor
        return stored

    monkeypatch.setattr(results_module, "read_result", spoiling)
    outcomes = {file: check.outcome for file, check in _again(plan, 4, elsewhere=elsewhere).items()}
    expected = Outcome.CLOSE if elsewhere and close else Outcome.DIFFERS
    assert len(outcomes) == 4
    assert outcomes == dict.fromkeys(outcomes, Outcome.SAME) | {_file(spoilt): expected}


def test_an_edited_result_with_its_name_kept_is_named(plan, runs):
    path = Path(_file(runs[3]))
    number = json.dumps(json.loads(path.read_text())["replicates"][1]["throughput_per_s"])
    _edit(path, f'"throughput_per_s": {number}', f'"throughput_per_s": 1{number}')
    checks = list(check_results(runs, RESULTS))
    intact = [run for run, check in zip(runs, checks, strict=True) if check.passed]
    checks += _again(plan, 4, runs=intact).values()
    assert {check.file for check in checks if not check.passed} == {_file(runs[3])}


def test_whatever_a_scheduler_raises_is_told_in_one_line(plan, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("float\ndivision")

    monkeypatch.setattr(results_module, "simulate_setting", fail)
    (check,) = _again(plan, 1).values()
    assert check.outcome is Outcome.DIFFERS
    assert "ZeroDivisionError: float\\ndivision" in check.words


@pytest.mark.parametrize("wrong", [["--sample", "-1"], ["--seed", "x"], ["--sampel", "3"]])
def test_bad_usage_has_status_2(capsys, wrong):
    assert main(["verify", *wrong]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("wrong", "told"),
    [(["--scale", "smok"], "did you mean smoke?"), (["--conf", "none"], "none/config.yaml")],
)
def test_what_does_not_exist_is_refused_in_one_line_with_status_2(runs, capsys, wrong, told):
    assert main(["verify", *wrong]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert len(streams.err.splitlines()) == 1
    assert told in streams.err
