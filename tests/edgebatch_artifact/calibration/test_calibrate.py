"""Fits see the rows that their file names, and no other."""

import shutil
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from edgebatch import InputError
from edgebatch_artifact.calibration.calibrate import calibrate
from edgebatch_artifact.calibration.errors import errors_on, judgements
from edgebatch_artifact.calibration.measured_files import read_measured
from edgebatch_artifact.publish.measured.edge_node_files import edge_node_files
from edgebatch_artifact.settings.measured.calibration import FITTED, JUDGED
from tests.workflow.checkout import ROOT, example

CONF, MEASUREMENTS = ROOT / "conf", ROOT / "measurements"
DGX, JETSON = "splitwise_dgx", "jetson_ai_lab"
BATCH = ["model", "edge_node", "devices", "batch", "prompt_tokens", "output_tokens"]


@cache
def _published():
    return calibrate(read_measured(CONF, MEASUREMENTS))


@pytest.fixture
def project(tmp_path):
    """A project of one source, to change."""
    shutil.copytree(CONF, tmp_path / "conf", ignore=shutil.ignore_patterns("calibration"))
    (tmp_path / "conf/calibration").mkdir()
    shutil.copy(CONF / f"calibration/{DGX}.yaml", tmp_path / "conf/calibration")
    shutil.copytree(MEASUREMENTS, tmp_path / "measurements")
    return tmp_path


def _edit(path, change):
    table = pd.read_csv(path)
    change(table)
    table.to_csv(path, index=False)


def _again(project):
    return calibrate(read_measured(project / "conf", project / "measurements"))


def _fits(calibration):
    fits = calibration.fits[calibration.fits["source"] == DGX]
    return fits.set_index("fit").dropna(axis=1, how="all")


def test_rows_that_are_held_out_change_no_fit(project):
    def spoil(table):
        held_out = ~(
            table["batch"].isin([1, 4, 16, 64]) & table["prompt_tokens"].isin([128, 512, 2048, 8192])
        )
        assert held_out.sum() > 100
        table.loc[held_out, ["prompt_s", "token_s"]] *= 3
        table.loc[table["output_tokens"] != 128, "token_s"] *= 3

    _edit(project / f"measurements/{DGX}.csv", spoil)
    again = _again(project)
    pd.testing.assert_frame_equal(_fits(again), _fits(_published()))
    assert errors_on(again.predictions, "calibrated", quantity="token_s").median > 0.5


def test_rows_that_are_fitted_change_their_fit(project):
    def slow(table):
        table.loc[table["edge_node"] == "h100_sxm_80gb", ["prompt_s", "token_s"]] *= 2

    _edit(project / f"measurements/{DGX}.csv", slow)
    shares = [_fits(calibration)["prefill_flops_share"] for calibration in (_published(), _again(project))]
    pd.testing.assert_series_equal(shares[0].filter(like="a100"), shares[1].filter(like="a100"))
    assert (shares[1].filter(like="h100") < 0.7 * shares[0].filter(like="h100")).all()


def test_repetitions_count_once_as_their_median(project):
    def one_outlier(table):
        first = table.groupby(BATCH).head(1).index
        table.loc[first, "token_s"] *= 100

    _edit(project / f"measurements/{DGX}.csv", one_outlier)
    errors = [
        errors_on(c.predictions, "calibrated", source=DGX, quantity="token_s")
        for c in (_published(), _again(project))
    ]
    assert errors[0].rows == errors[1].rows
    assert errors[1].median == pytest.approx(errors[0].median, abs=0.01)


def test_every_row_is_fitted_or_held_out_for_what_it_differs_in():
    rows = _published().predictions
    rows = rows[(rows["source"] == DGX) & (rows["fit"] == "a100_sxm_80gb_x8")]
    assert set(rows["judged"]) == {FITTED, *JUDGED}
    for judged, column in (("prompts", "prompt_tokens"), ("batches", "batch"), ("outputs", "output_tokens")):
        seen = set(rows.loc[rows["judged"] == FITTED, column])
        assert seen.isdisjoint(rows.loc[rows["judged"] == judged, column])
    assert set(rows.loc[rows["judged"] == "model", "model"]) == {"bloom_176b"}
    assert set(rows.loc[rows["judged"] == "device", "edge_node"]) == {"h100_sxm_80gb"}
    assert set(rows.loc[rows["judged"].isin([FITTED, "prompts", "batches", "outputs"]), "edge_node"]) == {
        "a100_sxm_80gb"
    }
    assert set(rows["devices"]) == {8}


def test_rows_that_are_left_out_are_neither_fitted_nor_judged():
    rows = _published().predictions
    assert rows.loc[(rows["source"] == DGX) & (rows["devices"] == 2), "batch"].max() == 8


def test_what_was_measured_is_in_the_table_of_predictions_as_it_was_published():
    rows = _published().predictions
    found = rows[(rows["source"] == JETSON) & (rows["judged"] == FITTED)].set_index(["model", "edge_node"])[
        "measured"
    ]
    assert found["llama_3_1_8b", "jetson_agx_thor_t5000"] == 44
    assert found["qwen3_32b", "jetson_agx_orin_64gb"] == 6.22


@pytest.mark.parametrize(
    ("source", "quantity", "bound"),
    [(DGX, "token_s", 0.06), (DGX, "prompt_s", 0.12), (JETSON, "tokens_per_s", 0.2)],
)
def test_median_errors_on_rows_held_out_are_within_what_was_asked(source, quantity, bound):
    predictions = _published().predictions
    assert errors_on(predictions, "calibrated", source=source, quantity=quantity).median <= bound
    assert errors_on(predictions, "ideal", source=source, quantity=quantity).median > 0.4


def test_ideal_times_are_too_short_and_ideal_rates_too_high():
    for judgement in judgements(_published().predictions):
        too_fast = judgement.ideal.signed if judgement.quantity == "tokens_per_s" else -judgement.ideal.signed
        assert too_fast > 0.1, judgement


def test_a_table_without_a_column_is_refused_by_its_name(project):
    path = project / f"measurements/{DGX}.csv"
    pd.read_csv(path).drop(columns="batch").to_csv(path, index=False)
    with pytest.raises(
        InputError, match=r"splitwise_dgx.csv: line 1: found no column batch, expected model, "
    ):
        _again(project)


def test_a_model_of_a_table_that_has_no_file_is_refused(project):
    def rename(table):
        table.loc[3, "model"] = "llama_2_70c"

    _edit(project / f"measurements/{DGX}.csv", rename)
    with pytest.raises(
        InputError, match=r"splitwise_dgx.csv: model: found 'llama_2_70c', .*mean llama_2_70b"
    ):
        _again(project)


def test_a_fit_without_rows_is_refused_by_its_name(project):
    path = project / f"conf/calibration/{DGX}.yaml"
    path.write_text(path.read_text().replace("batch: [1, 4, 16, 64]", "batch: [3]"))
    with pytest.raises(InputError, match=r"splitwise_dgx.yaml: fits.a100_sxm_80gb_x2.free: found 3 of them"):
        _again(project)


def test_the_source_of_the_documentation_is_fitted_and_judged(project):
    page = "docs/extending.md"
    Path(project, "measurements/mine.csv").write_text(example(page, "csv", "opt_13b,l4"))
    Path(project, "conf/calibration/mine.yaml").write_text(example(page, "yaml", "steps: mine.csv"))
    again = _again(project)
    mine = [judgement for judgement in judgements(again.predictions) if judgement.source == "mine"]
    assert [(j.judged, j.fitted, j.calibrated.rows) for j in mine] == [("batches", 2, 2)]
    assert mine[0].calibrated.median < 0.02 < mine[0].ideal.median
    assert (
        "  bandwidth_share: 0."
        in edge_node_files(read_measured(project / "conf", project / "measurements"), again)[
            "my_l4_calibrated"
        ]
    )
