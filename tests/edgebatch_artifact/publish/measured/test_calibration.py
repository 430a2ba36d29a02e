"""What is published of the calibration."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from edgebatch import InputError
from edgebatch.schema import read
from edgebatch_artifact.calibration.calibrate import calibrate
from edgebatch_artifact.calibration.measured_files import read_measured
from edgebatch_artifact.compression.outcome import MODEL
from edgebatch_artifact.engine.fits import fit_formats, node_of
from edgebatch_artifact.publish.figures import save_figure
from edgebatch_artifact.publish.measured.calibration_figure import calibration_figure
from edgebatch_artifact.publish.measured.calibration_tables import calibration_tables, calibration_values
from edgebatch_artifact.publish.measured.edge_node_files import edge_node_files
from edgebatch_artifact.publish.measured.engine_files import engine_files, fit_lines
from edgebatch_artifact.publish.measured.quantization_files import quantization_files
from edgebatch_artifact.settings.compose import compose_config, setting_of
from edgebatch_artifact.settings.configuration import ModelConfig
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES
from tests.workflow.checkout import ROOT

CONF, NODES = ROOT / "conf", ROOT / "conf/edge_node"
MEASURED = read_measured(CONF, ROOT / "measurements")
FITS = fit_formats(MEASURED.engine.machine, MEASURED.engine.steps)
ENGINE = engine_files(MEASURED.engine, FITS, MEASURED.models)


@pytest.fixture(scope="module")
def calibration():
    return calibrate(MEASURED)


def test_files_of_calibrated_devices_have_what_the_fits_yield(calibration):
    stored = {path.stem: path.read_text() for path in NODES.glob("*_calibrated.yaml")}
    ours = stored.keys() - {Path(name).name for name in ENGINE}
    assert {name: stored[name] for name in ours} == edge_node_files(MEASURED, calibration), (
        "run: artifact calibrate"
    )


def test_files_of_the_engine_have_what_the_fits_yield():
    stored = {name: (CONF / f"{name}.yaml").read_text() for name in ENGINE}
    assert stored == ENGINE, "run: artifact calibrate"


def test_files_of_techniques_have_what_was_measured():
    ours = quantization_files(MEASURED.techniques, MEASURED.models[MODEL])
    stored = {
        f"quantization/{path.stem}": path.read_text()
        for path in (CONF / "quantization").glob(f"{MODEL}_*.yaml")
    }
    assert stored == ours, "run: artifact calibrate"


@pytest.mark.parametrize("format", ["F16", "Q8_0", "Q4_1", "Q4_0"])
def test_files_of_the_engine_predict_a_step_as_the_fit_does(format):
    name = f"reference_{format.lower()}"
    chosen = ["model=smollm2_135m", f"edge_node={name}_calibrated", f"quantization={name}", "cost=calibrated"]
    composed = setting_of(compose_config(CONF, chosen)).system
    fitted = node_of(MEASURED.engine.machine, format, composed.slots, FITS[0][format])
    # the files have three digits
    lengths = np.array([64]), np.array([32])
    assert composed.alone_s(*lengths) == pytest.approx(fitted.alone_s(*lengths), rel=5e-3)
    perplexity = MEASURED.engine.perplexity.groupby("format")["mean_nll"].mean()
    accuracy = np.exp(perplexity["F16"] - perplexity[format])
    assert composed.quantization.accuracy == pytest.approx(min(1, accuracy), rel=1e-5)


def test_a_measured_model_of_an_unknown_shape_gets_a_file_that_is_read_back():
    files = engine_files(MEASURED.engine, FITS, {})
    shape = read(ModelConfig, yaml.safe_load(files["model/reference_model"]))
    assert dataclasses.asdict(MEASURED.engine.machine.llm).items() <= dataclasses.asdict(shape).items()
    assert "  reference_model: " in files["quantization/reference_q4_0"]


def test_the_lines_of_a_fit_say_what_each_format_reaches():
    lines = list(fit_lines(MEASURED.engine, FITS))
    assert len(lines) == len(MEASURED.engine.machine.formats)
    assert all(re.search(r"GFLOPS .* GB/s, .* held out, median error [\d.]+ %", line) for line in lines)


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
