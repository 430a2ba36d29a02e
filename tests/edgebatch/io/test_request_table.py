"""Recorded requests as CSV: what is read, and what is refused in one line."""

import pytest

from edgebatch import InputError
from edgebatch.io.request_table import parse_requests
from tests.workflow.checkout import ROOT

GOOD = "arrival_s,prompt_tokens,output_tokens\n0,5,7\n1.5,6,8\n"


def test_columns_may_stand_in_any_order_with_requirements_among_them():
    trace = parse_requests("latency_s,output_tokens,arrival_s,prompt_tokens\n2.5,7,0,5\n", "f.csv")
    assert (trace.arrival_s[0], trace.prompt_tokens[0], trace.output_tokens[0]) == (0, 5, 7)
    assert trace.latency_s.tolist() == [2.5]
    assert parse_requests(GOOD, "f.csv").latency_s is None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (GOOD, "", "f.csv: row 1: found nothing, expected the names of the columns"),
        (
            "prompt_tokens",
            "prompts",
            "f.csv: row 1: found arrival_s, prompts, output_tokens, expected a column",
        ),
        (
            "output_tokens",
            "output_tokens,x",
            r"f.csv: row 1, column x: found an unknown column, expected one of",
        ),
        ("1.5,6,8", "1.5,6", "f.csv: row 3: found 2 values, expected 3, one for each column"),
        (
            "0,5,7",
            "0,5.5,7",
            "f.csv: row 2, column prompt_tokens: found '5.5', expected a whole number at least 1",
        ),
        (
            "0,5,7",
            "0,5,0",
            "f.csv: row 2, column output_tokens: found '0', expected a whole number at least 1",
        ),
        ("1.5,", "nan,", "f.csv: row 3, column arrival_s: found 'nan', expected a number at least 0"),
        (
            "0,5",
            "2,5",
            "f.csv: row 3, column arrival_s: found 1.5, expected at least 2, as in the row before",
        ),
        ("0,5,7\n1.5,6,8\n", "", "f.csv: row 2: found nothing, expected a request"),
        ("arrival_s,prompt", "arrival_s,arrival_s,prompt", "row 1, column arrival_s: found the column twice"),
    ],
)
def test_what_is_wrong_is_named_by_file_row_and_column(old, new, line):
    assert old in GOOD
    with pytest.raises(InputError, match=line):
        parse_requests(GOOD.replace(old, new), "f.csv")


def test_the_traces_of_the_project_can_be_read_and_fit_into_a_megabyte():
    files = sorted((ROOT / "workloads").glob("*.csv"))
    sizes = [parse_requests(file.read_text(), file.name).arrival_s.size for file in files]
    assert sizes == [19366, 8819, 12031, 3993]
    assert sum(file.stat().st_size for file in files) < 10**6
