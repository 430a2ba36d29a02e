"""A table for LaTeX, in Markdown and as data; and how numbers are written."""

import pytest

from edgebatch_artifact.publish.table import Table, escape, number, parse_table, plain


@pytest.fixture
def table():
    """Two rows under four headings."""
    rows = (("Model", "9", "1 ± 0.25", "2 ± 0.25"), ("Model", "10", "3 ± 0.25", "4 ± 0.25"))
    return Table("Load & more", "load", ("Model", "Rate (1/s)", "B & B", "A_1"), rows, "llrr")


def test_latex_escapes_cells_and_has_a_column_for_each_cell(table):
    latex = table.latex()
    assert "\\label{tab:load}" in latex
    assert "Model & Rate (1/s) & B \\& B & A\\_1 \\\\" in latex
    assert "Model & 9 & 1 $\\pm$ 0.25 & 2 $\\pm$ 0.25 \\\\" in latex
    assert "\\begin{tabular}{@{}llrr@{}}" in latex


def test_a_table_read_back_from_its_data_is_the_same(table):
    assert parse_table(table.to_json()) == table


def test_a_wide_table_spans_both_columns(table):
    wide = Table(table.caption, table.name, table.head, table.rows, table.columns, wide=True)
    assert "\\begin{table*}" in wide.latex()
    assert "\\begin{table}" in table.latex()


def test_each_column_has_an_alignment_and_those_of_a_given_width_are_prose():
    table = Table("", "t", ("A", "B", "C", "D"), (), "lp{0.2\\linewidth}rc")
    assert table.alignments() == ["left", "prose", "right", "center"]


def test_markdown_escapes_bars():
    table = Table("", "t", ("A", "B"), (("x|y", "z"),), "ll")
    assert table.markdown() == "| A | B |\n| --- | --- |\n| x\\|y | z |\n"


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
