"""Results side by side, and their tables as text."""

import pandas as pd
import pytest

from edgebatch import InputError
from edgebatch.metrics import METRICS
from edgebatch_artifact.analysis.samples import axes_of, samples_of, settings_of
from edgebatch_artifact.storage.csv_file import csv_text, read_csv

SEEDS = [{"seed": seed, **dict.fromkeys(METRICS, float(seed))} for seed in (0, 1)]


@pytest.fixture
def samples():
    """Two seeds at each of two points."""
    return samples_of([({"model": "b", "tokens": [1, 2]}, SEEDS), ({"model": "a", "tokens": [3]}, SEEDS)])


def test_samples_have_a_row_for_each_setting_and_seed(samples):
    assert list(samples.columns) == ["model", "tokens", "seed", *METRICS]
    assert samples[["model", "tokens", "seed"]].to_numpy().tolist() == [
        ["b", "[1, 2]", 0],
        ["b", "[1, 2]", 1],
        ["a", "[3]", 0],
        ["a", "[3]", 1],
    ]
    assert axes_of(samples) == ["model", "tokens"]


def test_settings_come_in_the_order_of_the_rows_each_with_its_seeds(samples):
    found = list(settings_of(samples, but=["tokens"]))
    assert [setting for setting, _ in found] == [{"model": "b"}, {"model": "a"}]
    assert [rows["seed"].tolist() for _, rows in found] == [[0, 1], [0, 1]]


def test_samples_without_axes_are_one_setting(samples):
    ((setting, rows),) = settings_of(samples.drop(columns=["model", "tokens"]))
    assert setting == {}
    assert len(rows) == 4


def test_a_table_has_six_digits_and_reads_back(tmp_path):
    table = pd.DataFrame({"mean": [1 / 3, 2e6 / 3, 1.5e-9], "name": ["a", "b", "c"]})
    text = csv_text(table)
    assert text == "mean,name\n0.333333,a\n666667,b\n1.5e-09,c\n"
    (tmp_path / "table.csv").write_text(text)
    assert csv_text(read_csv(tmp_path / "table.csv")) == text


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"a,b\n1,2,3\n4,5,6,7\n"])
def test_a_table_that_cannot_be_read_is_told_by_name(tmp_path, content):
    path = tmp_path / "table.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"table\.csv: found .*, expected a CSV file$"):
        read_csv(path)
