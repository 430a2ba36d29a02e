"""A measurement of techniques is read whole, or refused in one line."""

import pytest

from edgebatch import InputError
from edgebatch_artifact.compression.measurement import TABLES
from edgebatch_artifact.compression.stored import read_techniques, write_machine, write_rows
from edgebatch_artifact.storage.csv_file import csv_text
from tests.edgebatch_artifact.techniques import RUNS, techniques


@pytest.fixture
def folder(tmp_path):
    """The small measurement, in files."""
    made = techniques()
    write_machine(tmp_path, made.machine)
    for name, table in (("layers", made.layers), ("sequences", made.sequences)):
        for run, rows in table.groupby("run"):
            write_rows(tmp_path, name, run, list(rows[list(TABLES[name])].itertuples(index=False)))
    (tmp_path / "summary.csv").write_text(csv_text(made.summary))
    return tmp_path


def test_what_was_written_is_read(folder):
    found, made = read_techniques(folder), techniques()
    assert found.machine == made.machine
    assert len(found.layers) == len(made.layers)
    assert set(found.sequences["run"]) == set(made.sequences["run"])


def _without_a_run(folder):
    write_rows(folder, "sequences", "rtn_3", [])


def _without_a_summary(folder):
    (folder / "summary.csv").unlink()


def _without_a_machine(folder):
    (folder / "measurement.json").unlink()


def _of_another_version(folder):
    path = folder / "measurement.json"
    path.write_text(path.read_text().replace("compression/1", "compression/2"))


def _with_another_column(folder):
    path = folder / "layers.csv"
    path.write_text(path.read_text().replace("packed_bytes", "bytes", 1))


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_without_a_run, "summary.csv: found 3 runs, expected 4 runs: make compress NAME="),
        (_without_a_summary, "summary.csv: found no such file, expected 4 runs: make compress NAME="),
        (
            _without_a_machine,
            "measurement.json: found no such file, expected a measurement: make ",
        ),
        (
            _of_another_version,
            "measurement.json: format: found 'edgebatch-compression/2', expected ",
        ),
        (_with_another_column, "layers.csv: line 1: found run,layer,"),
    ],
)
def test_a_measurement_that_is_not_whole_is_refused_in_one_line(folder, spoil, line):
    spoil(folder)
    with pytest.raises(InputError) as refused:
        read_techniques(folder)
    said = str(refused.value)
    assert line in said
    assert len(said.splitlines()) == 1
    assert len(RUNS) == 4
