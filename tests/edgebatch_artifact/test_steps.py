"""The steps of the workflow, as its rules call them."""

import re
import shutil
from inspect import Parameter, signature
from pathlib import Path

import pytest

from edgebatch_artifact import steps
from tests.edgebatch_artifact.small_tree import EXPERIMENT, make_tree
from tests.refusals.refused import refusal
from tests.workflow.checkout import ROOT

RULES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow/rules").glob("*.smk"))
LAYOUT = str(ROOT / "workflow/report")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_tree()
    Path(folder, "benchmarks").mkdir()
    shutil.copyfile(ROOT / "benchmarks/race.png", folder / "benchmarks/race.png")
    return folder


@pytest.fixture
def tree(made, tmp_path, monkeypatch):
    """A small tree as working directory, to damage."""
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "tree"))
    return tmp_path / "tree"


def _report():
    return steps.main(["report", "results", ".", LAYOUT, "full"])


def test_every_step_is_run_by_a_rule_and_every_rule_runs_a_step():
    called = re.findall(r"-m edgebatch_artifact\.steps (\w+)", RULES)
    assert sorted(called) == sorted(steps.STEPS)


def test_the_parameters_of_every_step_are_words():
    for step in steps.STEPS.values():
        kinds = {parameter.kind for parameter in signature(step).parameters.values()}
        assert kinds <= {Parameter.POSITIONAL_OR_KEYWORD, Parameter.VAR_POSITIONAL}
        assert {parameter.annotation for parameter in signature(step).parameters.values()} == {"str"}


def test_the_report_holds_the_figure_and_the_table_of_the_experiment(tree):
    assert _report() == 0
    page = Path("report.html").read_text(encoding="utf-8")
    assert f'<article id="{EXPERIMENT}">' in page
    assert page.count('src="data:image/png;base64,') == 8


@pytest.mark.parametrize(
    "piece",
    [
        *("results/report/claims.json", "results/report/models.json", f"results/report/{EXPERIMENT}.json"),
        *(
            f"figures/{EXPERIMENT}.png",
            "figures/calibration.png",
            "figures/engine_logs.png",
            "benchmarks/race.png",
        ),
    ],
)
def test_a_piece_of_the_report_that_is_missing_is_told_by_name(tree, capsys, piece):
    Path(piece).unlink()
    line = refusal(capsys, tree, _report)
    assert line == f"artifact: {piece}: found no such file or directory, expected what snakemake makes first"


def test_a_picture_that_is_none_is_told_by_name(tree, capsys):
    Path(f"figures/{EXPERIMENT}.png").write_text("")
    line = refusal(capsys, tree, _report)
    assert line.startswith(f"artifact: figures/{EXPERIMENT}.png: found no PNG, expected a picture")


def test_collecting_removes_what_was_collected_of_older_results(tree):
    older = Path(f"results/collected/{EXPERIMENT}/{'0' * 12}/samples.csv")
    (current,) = Path(f"results/collected/{EXPERIMENT}").iterdir()
    before = {path.name: path.read_bytes() for path in current.iterdir()}
    older.parent.mkdir()
    older.touch()
    files = [f"{current}/samples.csv", f"{current}/numbers.csv"]
    assert steps.main(["collect", f"results/experiments/{EXPERIMENT}.json", *files]) == 0
    assert not older.parent.exists()
    assert {path.name: path.read_bytes() for path in current.iterdir()} == before


def test_drawing_publishes_the_very_points_that_were_collected(tree):
    (points,) = Path(f"results/collected/{EXPERIMENT}").glob("*/numbers.csv")
    assert Path(f"figures/{EXPERIMENT}.csv").read_bytes() == points.read_bytes()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "STEP: found '', expected one of calibrate, collect, conclude"),
        (["colect"], "STEP: found 'colect', .*did you mean collect?"),
        (["conclude", "results"], "conclude: found 1 argument, expected work root"),
        (["conclude", "results", ".", "more"], "conclude: found 3 arguments, expected work root"),
    ],
)
def test_what_is_no_step_is_refused_in_one_line(tmp_path, capsys, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    line = refusal(capsys, tmp_path, lambda: steps.main(words))
    assert re.match(f"artifact: command line: {told}".replace("?", r"\?"), line), line
