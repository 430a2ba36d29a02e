"""The stored measurement of techniques: whole, what conf/ asks for, and summed up as it is."""

import numpy as np
import pytest

from edgebatch_artifact.analysis.compression_summary import summarize
from edgebatch_artifact.analysis.sources import read_claims
from edgebatch_artifact.compression.measurement import LAST, REFERENCE
from edgebatch_artifact.compression.stored import read_machine, read_rows
from edgebatch_artifact.settings.measured.compression_file import read_compression_config, read_runs
from edgebatch_artifact.storage.csv_file import csv_text, read_csv
from edgebatch_artifact.storage.files import sha256
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"
CONFIG, RUNS = read_compression_config(CONF), read_runs(CONF)
FOLDER = ROOT / "measurements/compression" / CONFIG.measurement
MACHINE = read_machine(FOLDER)
SEQUENCES, LAYERS, STEPS = (read_rows(FOLDER, name) for name in ("sequences", "layers", "steps"))
DIVERGENCE = SEQUENCES[SEQUENCES["exit"] == LAST].pivot(index="sequence", columns="run", values="divergence")


def test_the_stored_measurement_is_what_conf_asks_for():
    assert MACHINE.settings == CONFIG
    assert MACHINE.runs == RUNS
    assert set(SEQUENCES["run"]) == {*RUNS, REFERENCE}
    assert set(LAYERS["run"]) == {*RUNS}
    assert set(STEPS["run"]) == {name for name, run in RUNS.items() if run.tuning}


def test_every_run_is_whole():
    assert (SEQUENCES.groupby(["run", "exit"]).size() == CONFIG.text.evaluation_sequences).all()
    assert LAYERS.groupby("run").size().nunique() == 1
    for name, rows in STEPS.groupby("run"):
        assert len(rows) == RUNS[name].tuning["steps"]


def test_the_text_is_the_one_that_was_measured_on():
    path = FOLDER.parent / "text.npz"
    assert sha256(path) == MACHINE.text_sha256
    with np.load(path, allow_pickle=False) as text:
        calibration, evaluation = text["calibration"], text["evaluation"]
    assert evaluation.shape == (CONFIG.text.evaluation_sequences, CONFIG.text.tokens)
    assert not set(map(bytes, evaluation)) & set(map(bytes, calibration))


def test_the_stored_summary_is_that_of_the_stored_tables():
    table = summarize(SEQUENCES, LAYERS, read_claims(CONF).confidence)
    assert (FOLDER / "summary.csv").read_text() == csv_text(table)
    assert len(read_csv(FOLDER / "summary.csv")) == len(table)


def test_no_sequence_diverges_from_itself_and_none_less_than_nothing():
    assert DIVERGENCE[REFERENCE].abs().max() < 1e-5
    assert (DIVERGENCE.drop(columns=REFERENCE) > 0).all().all()


@pytest.mark.parametrize("family", ["rtn", "gptq", "squeezellm"])
def test_fewer_bits_cost_more(family):
    assert (DIVERGENCE[f"{family}_3"] > DIVERGENCE[f"{family}_4"]).all()


@pytest.mark.parametrize("run", ["rtn_8", "rtn_8_tensor"])
def test_huffman_codes_of_whole_layers_are_within_two_percent_of_the_entropy(run):
    rows = LAYERS[LAYERS["run"] == run]
    # what coding changes is the indices
    coded = rows["index_bits"] - 8 * (rows["packed_bytes"] - rows["huffman_bytes"]) / rows["kept_weights"]
    assert (coded <= 1.02 * rows["entropy_bits"]).all()
