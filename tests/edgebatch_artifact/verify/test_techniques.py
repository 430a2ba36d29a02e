"""Measurements of techniques are compared with the one that is shown, within a tolerance."""

import dataclasses

import pytest

from edgebatch_artifact.analysis.compression_summary import summarize
from edgebatch_artifact.compression.measurement import TABLES
from edgebatch_artifact.compression.stored import read_rows, write_machine, write_rows
from edgebatch_artifact.storage.csv_file import csv_text
from edgebatch_artifact.verify.outcome import Outcome
from edgebatch_artifact.verify.techniques import BITS, DIVERGENCE, check_techniques
from tests.edgebatch_artifact.techniques import RUNS, techniques

RUN = "rtn_3"


def _store(folder, scale=1.0, bytes_scale=1.0, **machine):
    """Store the small measurement, with other divergences and bytes of one run."""
    made = techniques()
    layers, sequences = made.layers.copy(), made.sequences.copy()
    sequences.loc[sequences["run"] == RUN, "divergence"] *= scale
    layers.loc[layers["run"] == RUN, "packed_bytes"] = (
        (layers.loc[layers["run"] == RUN, "packed_bytes"] * bytes_scale).round().astype(int)
    )
    folder.mkdir(parents=True)
    write_machine(folder, dataclasses.replace(made.machine, **machine))
    for name, table in (("layers", layers), ("sequences", sequences)):
        for run, rows in table.groupby("run"):
            write_rows(folder, name, run, list(rows[list(TABLES[name])].itertuples(index=False)))
    stored = summarize(read_rows(folder, "sequences"), read_rows(folder, "layers"), 0.95)
    (folder / "summary.csv").write_text(csv_text(stored))


def _checks(folder):
    first, *others = check_techniques(folder, "reference", 0.95)
    return first, {check.file.rpartition("(")[2].rstrip(")"): check for check in others}


@pytest.fixture
def folder(tmp_path):
    _store(tmp_path / "reference")
    return tmp_path


def test_a_measurement_with_the_same_numbers_is_the_same_to_the_last_byte(folder):
    _store(folder / "mine", processor="another")
    first, others = _checks(folder)
    assert first.outcome is Outcome.SAME
    assert {run: check.outcome for run, check in others.items()} == dict.fromkeys(RUNS, Outcome.SAME)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scale": 1 + 0.9 * DIVERGENCE}, Outcome.CLOSE),
        ({"scale": 1 - 1.1 * DIVERGENCE}, Outcome.DIFFERS),
        ({"bytes_scale": 1 + 0.9 * BITS}, Outcome.CLOSE),
        ({"bytes_scale": 1 + 1.1 * BITS}, Outcome.DIFFERS),
    ],
)
def test_other_numbers_pass_up_to_the_tolerance_and_the_run_is_named(folder, change, expected):
    _store(folder / "mine", **change)
    _, others = _checks(folder)
    assert others.pop(RUN).outcome is expected
    assert {check.outcome for check in others.values()} == {Outcome.SAME}


def test_what_differs_is_told_with_what_is_expected(folder):
    _store(folder / "mine", scale=2)
    said = str(_checks(folder)[1][RUN])
    assert said.endswith(
        f"mine ({RUN}): found a divergence of 0.7 at exit last, expected one within 10% of 0.35"
    )


def test_a_measurement_of_another_model_or_option_is_not_compared(folder):
    _store(folder / "other_model", scale=2, model_sha256="1")
    other = RUNS | {RUN: dataclasses.replace(RUNS[RUN], options={"weight_bits": 4})}
    _store(folder / "other_option", scale=2, runs=other)
    _, others = _checks(folder)
    assert set(others) == set(RUNS) - {RUN}


def test_a_summary_that_does_not_follow_from_its_tables_is_named(folder):
    path = folder / "reference/summary.csv"
    path.write_text(path.read_text().replace("3", "4", 1))
    first, _ = _checks(folder)
    assert first.outcome is Outcome.DIFFERS
    assert first.file == str(path)
