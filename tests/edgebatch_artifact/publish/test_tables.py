import pandas as pd
import pytest

from edgebatch_artifact.publish.tables import (
    Table,
    escape,
    number,
    of_experiment,
    of_models,
    of_quantizations,
    plain,
    read_table,
)
from edgebatch_artifact.settings.compose import compose_files, groups
from edgebatch_artifact.settings.experiment import ExperimentData
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"
FIGURE = {
    "title": "Load",
    "caption": "c",
    "note": "",
    "draw": "lines",
    "x": {"key": "rate", "label": "Rate (1/s)"},
    "y": {"columns": {"throughput_per_s": "Throughput"}, "label": "Throughput (1/s)"},
    "lines": "scheduler",
    "panels": "model",
}
LABELS = {
    "scheduler": {"b": {"label": "B & B"}, "a": {"label": "A_1"}},
    "model": {"m": {"label": "Model"}},
}


def _example(points):
    axes = [{"rate": rate, "scheduler": s, "model": "m"} for rate in (9, 10) for s in ("b", "a")]
    rows = [{**axis, "column": "throughput_per_s", "mean": mean, "half_width": 0.25} for axis, mean in points]
    data = [{"id": "i", "run": "r", "axes": axis} for axis in axes]
    return ExperimentData("load", FIGURE, LABELS, data), pd.DataFrame(rows), axes


@pytest.fixture
def table():
    data, _, axes = _example([])
    data, points, _ = _example(list(zip(axes[::-1], (4.0, 3.0, 2.0, 1.0), strict=True)))
    return of_experiment(data, points)


def test_a_table_has_a_row_for_each_x_and_a_column_for_each_line_in_the_order_of_the_sweep(table):
    assert table.head == ("Model", "Rate (1/s)", "B & B", "A_1")
    assert table.rows == (
        ("Model", "9", "1 ± 0.25", "2 ± 0.25"),
        ("Model", "10", "3 ± 0.25", "4 ± 0.25"),
    )
    assert table.columns == "llrr"


def test_latex_escapes_cells_and_has_a_column_for_each_cell(table):
    latex = table.latex()
    assert "\\label{tab:load}" in latex
    assert "Model & Rate (1/s) & B \\& B & A\\_1 \\\\" in latex
    assert "Model & 9 & 1 $\\pm$ 0.25 & 2 $\\pm$ 0.25 \\\\" in latex
    assert "\\begin{tabular}{@{}llrr@{}}" in latex


def test_a_table_that_is_written_and_read_again_is_set_alike(table, tmp_path):
    path = tmp_path / "table.json"
    path.write_text(table.to_json(), encoding="utf-8")
    assert read_table(path).latex() == table.latex()


def test_each_column_has_an_alignment_and_those_of_a_given_width_are_prose():
    table = Table("", "t", ("A", "B", "C", "D"), (), "lp{0.2\\linewidth}rc")
    assert table.alignments() == ["left", "prose", "right", "center"]


def test_markdown_escapes_bars():
    table = Table("", "t", ("A", "B"), (("x|y", "z"),), "ll")
    assert table.markdown() == "| A | B |\n| --- | --- |\n| x\\|y | z |\n"


def test_a_setting_without_result_is_a_dash():
    data, points, axes = _example([])
    data, points, _ = _example(list(zip(axes[:3], (1.0, 2.0, 3.0), strict=True)))
    assert of_experiment(data, points).rows[1] == ("Model", "10", "3 ± 0.25", "–")


def test_panels_of_columns_are_rows_of_the_table():
    columns = {"gap": "Mean gap", "exact": "Solved exactly"}
    figure = {**FIGURE, "y": {"columns": columns, "label": "Share"}, "panels": "column"}
    data, _, axes = _example([])
    rows = [
        {**axis, "column": column, "mean": mean + place, "half_width": 0.0}
        for place, axis in enumerate(axes)
        for column, mean in (("gap", 1), ("exact", 5))
    ]
    shown = of_experiment(ExperimentData("load", figure, LABELS, data.points), pd.DataFrame(rows))
    assert shown.head == ("Share", "Rate (1/s)", "B & B", "A_1")
    assert shown.rows == (
        ("Mean gap", "9", "1 ± 0", "2 ± 0"),
        ("Mean gap", "10", "3 ± 0", "4 ± 0"),
        ("Solved exactly", "9", "5 ± 0", "6 ± 0"),
        ("Solved exactly", "10", "7 ± 0", "8 ± 0"),
    )


def test_only_what_the_figure_shows_is_in_the_table():
    data, points, axes = _example([])
    figure = {**FIGURE, "where": {"scheduler": "a"}}
    data, points, _ = _example([(axis, 1.0) for axis in axes])
    shown = of_experiment(ExperimentData("load", figure, LABELS, data.points), points)
    assert shown.head == ("Model", "Rate (1/s)", "A_1")


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("50 % & $1_a", "50 \\% \\& \\$1\\_a"),
        ("a^b~c#d", "a\\textasciicircum{}b\\textasciitilde{}c\\#d"),
        ("\\x{y}", "\\textbackslash{}x\\{y\\}"),
        ("1 ± 2 < 3 × 4", "1 $\\pm$ 2 $<$ 3 $\\times$ 4"),
    ],
)
def test_special_characters_are_escaped_for_latex(text, latex):
    assert escape(text) == latex


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.2345, "1.23"), (99.96, "100"), (123.4, "123"), (1.5e6, "1.50e+06"), (2e-5, "2.00e-05")],
)
def test_numbers_have_three_digits(value, text):
    assert number(value) == text


def test_values_of_the_configuration_are_shown_for_people():
    assert plain([128, 256]) == "128, 256"
    assert plain(20e6) == "2.00e+07"
    assert plain(0.25) == "0.25"
    assert plain("batch_max") == "batch_max"


def test_models_have_the_memory_that_follows_from_their_shape():
    known = groups(CONF)["model"]
    table = of_models(compose_files(CONF, [("model", name) for name in known]).values())
    rows = {row[0]: row for row in table.rows}
    assert len(rows) == len(known)
    # 30 layers of 4 * 2560^2 + 2 * 2560 * 10240 weights of 2 bytes; 2 * 2 * 30 * 2560 bytes a token
    assert rows["BLOOM-3B"] == ("BLOOM-3B", "30", "2560", "10240", "4.7", "0.31")


def test_techniques_have_their_rise_of_perplexity():
    known = groups(CONF)["quantization"]
    files = compose_files(CONF, [("quantization", name) for name in known])
    table = of_quantizations(files.values(), {"bloom_3b": "BLOOM-3B", "opt_13b": "OPT-13B"})
    rows = {row[0]: row for row in table.rows}
    assert len(rows) == len(known)
    assert rows["W4A16 GPTQ"][1:4] == ("4/16", "0.75", "0.20")
    assert rows["W3A16 AWQ g128 (WikiText-2)"][2:] == ("–", "0.43", "WikiText-2")
