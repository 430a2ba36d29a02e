"""Stored measurements: what is refused, and what follows from them."""

import json
import shutil

import pandas as pd
import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.engine.fits import fit_formats, points
from edgebatch_artifact.engine.measurement import median_spread
from edgebatch_artifact.engine.outcome import gains
from edgebatch_artifact.engine.stored import choose, read_measurement
from edgebatch_artifact.settings.measured.engine_file import read_engine_config
from tests.workflow.checkout import ROOT

STORED = ROOT / "measurements/engine/reference"
REFERENCE = read_measurement(STORED)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(STORED, tmp_path / "mine")


def _refused(folder):
    with pytest.raises(InputError) as refused:
        read_measurement(folder)
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("folder", sorted(STORED.parent.iterdir()), ids=lambda folder: folder.name)
def test_every_stored_measurement_is_whole_and_quiet(folder):
    stored = read_measurement(folder)
    assert stored.name == folder.name
    assert median_spread(stored.steps) <= stored.machine.settings.most_spread


@pytest.mark.parametrize("name", ["steps", "requests"])
def test_a_measurement_that_is_cut_short_names_the_command_that_goes_on(folder, name):
    rows = (folder / f"{name}.csv").read_text().splitlines(keepends=True)
    kept = rows[: len(rows) // 2]
    (folder / f"{name}.csv").write_text("".join(kept))
    assert "make measure NAME=mine goes on" in _refused(folder)


def test_a_measurement_of_another_version_is_refused(folder):
    path = folder / "measurement.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": "edgebatch-measurement/0"}))
    assert "edgebatch-measurement/1" in _refused(folder)


def test_a_measurement_of_a_noisy_machine_is_refused(folder):
    table = pd.read_csv(folder / "steps.csv")
    table.loc[table["repetition"] == 0, "seconds"] *= 1.5
    table.to_csv(folder / "steps.csv", index=False)
    assert median_spread(table) > 0.25
    assert "while nothing else runs" in _refused(folder)


def test_an_unknown_measurement_is_refused_with_those_that_are_there():
    with pytest.raises(InputError, match="reference"):
        choose(STORED.parent, "nobody")


def test_half_of_the_points_of_each_stage_are_fitted():
    for _, rows in points(REFERENCE.steps).groupby(["format", "stage"]):
        assert abs(rows["fitted"].mean() - 0.5) < 0.05


def test_points_that_are_held_out_change_no_fit():
    machine, steps = REFERENCE.machine, REFERENCE.steps
    table = points(steps[steps["format"] == "Q4_0"])
    held_out = table[~table["fitted"]].set_index(["stage", "batch", "tokens"]).index
    own = steps[steps["format"] == "Q4_0"].set_index(["stage", "batch", "tokens"])
    changed = own.assign(seconds=own["seconds"].where(~own.index.isin(held_out), 1.7 * own["seconds"]))
    before, _ = fit_formats(machine, own.reset_index())
    after, _ = fit_formats(machine, changed.reset_index())
    assert before == after


def test_the_stored_measurement_is_what_conf_asks_for():
    assert REFERENCE.machine.settings == read_engine_config(ROOT / "conf")


def test_the_predictions_of_a_replay_are_those_of_the_stored_rows():
    batches = REFERENCE.batches
    ran = batches[(batches["served"] > 0) & (batches["scheduler"] == "dftsp")]
    assert (ran["predicted_s"] <= (1 - ran["margin"]) * ran["deadline_s"] * (1 + 1e-9)).all()


def test_a_gain_is_the_ratio_of_tokens_per_second():
    rows = [("decode", "F16", 1, 32, 0.01), ("decode", "F16", 8, 32, 0.02)]
    table = pd.DataFrame(rows, columns=["stage", "format", "batch", "tokens", "measured"])
    assert gains(table, "F16").tolist() == [pytest.approx((8 / 0.02) / (1 / 0.01))]
