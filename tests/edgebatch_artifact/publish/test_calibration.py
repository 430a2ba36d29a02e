"""What is published of the calibration."""

import re

import pytest
import yaml

from edgebatch import InputError
from edgebatch_artifact.calibration.calibrate import calibrate
from edgebatch_artifact.calibration.measured_files import read_measured
from edgebatch_artifact.publish.calibration_figure import calibration_figure
from edgebatch_artifact.publish.calibration_tables import calibration_tables, calibration_values
from edgebatch_artifact.publish.edge_node_files import edge_node_files
from edgebatch_artifact.publish.figures import save_figure
from edgebatch_artifact.settings.calibration import CALIBRATION_TABLES
from edgebatch_artifact.settings.compose import compose_config, setting_of
from tests.workflow.checkout import ROOT

CONF, NODES = ROOT / "conf", ROOT / "conf/edge_node"
MEASURED = read_measured(CONF, ROOT / "measurements")


@pytest.fixture(scope="module")
def calibration():
    return calibrate(MEASURED)


def test_files_of_calibrated_devices_have_what_the_fits_yield(calibration):
    stored = {path.stem: path.read_text() for path in NODES.glob("*_calibrated.yaml")}
    assert stored == edge_node_files(MEASURED, calibration), "run: artifact calibrate"


def test_a_calibrated_device_takes_the_time_of_its_fit(calibration):
    fit = calibration.fits.set_index("fit").loc["a100_sxm_80gb_x4"]
    chosen = ["edge_node=a100_sxm_80gb_x4_calibrated", "cost=calibrated"]
    cost = setting_of(compose_config(CONF, chosen)).system.cost
    assert cost.memory_bandwidth_bytes_per_s == 4 * 2.039e12
    for name in ("prefill_flops_share", "bandwidth_share", "pooled_share", "layer_s"):
        assert getattr(cost, name) == pytest.approx(fit[name], rel=5e-3)


def test_the_roofline_that_is_not_calibrated_is_ideal_on_any_device():
    for node in ("a100_sxm_80gb_x4_calibrated", "nominal"):
        cost = setting_of(compose_config(CONF, [f"edge_node={node}", "cost=roofline"])).system.cost
        assert (cost.bandwidth_share, cost.pooled_share, cost.layer_s) == (1, 1, 0)


def test_a_node_that_was_not_calibrated_has_no_calibrated_roofline():
    with pytest.raises(
        InputError, match=r"l4.yaml: edge_node.efficiencies: found nothing, expected those of a node"
    ):
        setting_of(compose_config(CONF, ["edge_node=l4", "cost=calibrated"]))


def test_the_nominal_node_has_the_efficiencies_of_the_device_that_it_names():
    nominal, device = (
        yaml.safe_load((NODES / f"{name}.yaml").read_text())
        for name in ("nominal", "jetson_agx_orin_64gb_calibrated")
    )
    assert nominal["efficiencies"] == device["efficiencies"]


def test_the_figure_has_a_panel_for_each_source_and_the_same_bytes_twice(calibration, tmp_path):
    for name in ("once", "again"):
        figure = calibration_figure(calibration)
        for ending in ("pdf", "png"):
            save_figure(figure, tmp_path / f"{name}.{ending}")
    assert len(figure.axes) == calibration.fits["source"].nunique()
    for ending in ("pdf", "png"):
        assert (tmp_path / f"once.{ending}").read_bytes() == (tmp_path / f"again.{ending}").read_bytes()


def test_the_figure_shows_each_row_of_the_fitted_models_twice(calibration):
    shown = sum(len(line.get_xdata()) for axes in calibration_figure(calibration).axes for line in axes.lines)
    own = (~calibration.predictions["judged"].isin(["model", "device"])).sum()
    diagonals = 2 * calibration.fits["source"].nunique()
    assert shown == 2 * own + diagonals


def test_the_tables_say_what_was_fitted_and_what_was_judged(calibration):
    tables = calibration_tables(calibration)
    errors, fits, *_ = tables
    assert tuple(table.name for table in tables) == CALIBRATION_TABLES
    assert len(fits.rows) == len(calibration.fits)
    assert {row[0] for row in errors.rows} == set(calibration.fits["label"])
    ideal, calibrated = ([float(row[column]) for row in errors.rows] for column in (5, 8))
    assert sum(after < before for before, after in zip(ideal, calibrated, strict=True)) == len(errors.rows)


def test_values_of_the_prose_are_those_of_the_tables(calibration):
    values = calibration_values(calibration)
    errors = {
        row[1] + row[3]: row
        for row in calibration_tables(calibration)[0].rows
        if row[0].startswith("Splitwise")
    }
    row = errors["later stepother batch sizes"]
    place = "calibration/splitwise_dgx/token_s/batches"
    assert values[f"{place}/calibrated/median"] == f"{row[8]} %"
    assert values[f"{place}/ideal/signed"] == f"{row[7]} %"
    assert values[f"{place}/ideal/rows"] == row[4]
    assert all(re.fullmatch(r"[\w/]+", name) for name in values)
