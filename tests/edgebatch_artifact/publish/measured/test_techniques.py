"""What is published of measured techniques."""

import dataclasses

import pytest
import yaml

from edgebatch import EdgeNode, Slots, System
from edgebatch.schema import read
from edgebatch_artifact.compression.outcome import MODEL, PUBLISHED, Published, label, technique_tables
from edgebatch_artifact.publish.figures import save_figure
from edgebatch_artifact.publish.measured.quantization_files import quantization_files
from edgebatch_artifact.publish.measured.technique_figure import technique_figures
from edgebatch_artifact.publish.measured.technique_figure import technique_tables as set_tables
from edgebatch_artifact.settings.measured.calibration import ACCURACY_AGAINST_BITS, TECHNIQUE_TABLES
from edgebatch_artifact.settings.quantization_config import (
    AccuracyMap,
    QuantizationConfig,
    build_quantization,
)
from tests.edgebatch_artifact.techniques import DIVERGENCE, LLM, RUNS, techniques

FP16 = {"a": 10.0, "b": 20.0}
PUBLISHED_FILES = {
    "w16a16": Published("W16A16", 16, 16, {"a": 10.0}, FP16),
    "w3a16": Published("W3A16", 3, 16, {"a": 12.0, "b": 22.0, "c": 9.0}, FP16),
    "w4a8": Published("W4A8", 4, 8, {"a": 11.0}, FP16),
}


def _quantization(run):
    text = quantization_files(techniques(), LLM)[f"quantization/{MODEL}_{run}"]
    content = yaml.safe_load(text)
    assert text.startswith("# Source: measurements/compression/, run " + run)
    width = content["speedup"]
    config = read(QuantizationConfig, content | {"speedup": 2.0})
    assert width.startswith("${speedup.w")
    return build_quantization(config, AccuracyMap("perplexity_ratio", 1.0), False, MODEL), config


@pytest.mark.parametrize("run", RUNS)
def test_a_measured_technique_takes_the_bytes_that_were_written(run):
    quantization, _ = _quantization(run)
    system = System(Slots(1, 1, 1), LLM, quantization, EdgeNode(1e9, 1e9, 1))
    layers = techniques().layers
    written = layers[layers["run"] == run]["packed_bytes"].sum()
    assert system.weight_bytes == pytest.approx(written + 2 * 64 * 100, rel=1e-9)


def test_what_a_layer_has_besides_is_told_apart():
    assert _quantization("apiq_3")[0].adapter_rank == 4
    sparse = _quantization("squeezellm_3_sparse")[0]
    assert sparse.sparse_share == pytest.approx(90 * 2 / (2 * LLM.layer_weights))
    pruned = _quantization("edge_llm_5_pruned")[0]
    assert pruned.pruned_share == pytest.approx(0.2, abs=1e-3)
    first, last = pruned.weight_bits_by_layer
    assert last > 1.2 * first


def test_the_accuracy_is_the_ratio_of_the_measured_perplexities():
    # all sequences have as many tokens: exp of the mean divergence of the model's own samples
    quantization, config = _quantization("rtn_3")
    assert quantization.accuracy == pytest.approx(2.718281828 ** -(sum(DIVERGENCE["rtn_3"]) / 4), rel=1e-5)
    assert config.fp16.dataset == "text of the model itself"


def test_coded_bytes_are_those_of_weights_without_adapters():
    _, plain = _quantization("rtn_3")
    assert plain.coded["zstd"].ratio == pytest.approx(4 / 3, rel=1e-3)
    assert plain.coded["huffman"].device_decoder_bytes_per_s < plain.coded["zstd"].device_decoder_bytes_per_s
    layers = techniques().layers.set_index("run").loc["apiq_3"]
    adapters = 2 * layers["adapter_weights"].sum()
    expected = (layers["packed_bytes"].sum() - adapters) / (layers["zstd_bytes"].sum() - adapters)
    assert _quantization("apiq_3")[1].coded["zstd"].ratio == pytest.approx(expected, rel=1e-3)


def test_points_are_the_runs_and_what_others_published_of_weights_alone():
    points = technique_tables(techniques(), PUBLISHED_FILES)[ACCURACY_AGAINST_BITS]
    measured = points[points["family"] != PUBLISHED]
    assert set(measured["run"]) == set(RUNS)
    assert set(measured["label"]) == {"RTN 3", "SqueezeLLM 3 sparse", "ApiQ 3", "EDGE-LLM 5 pruned"}
    others = points[points["family"] == PUBLISHED]
    assert others[["run", "model", "bits"]].values.tolist() == [["w3a16", "a", 3], ["w3a16", "b", 3]]


def test_the_figure_shows_each_point_and_has_the_same_bytes_twice(tmp_path):
    tables = technique_tables(techniques(), PUBLISHED_FILES)
    for name in ("once", "again"):
        (figure,) = technique_figures(tables).values()
        for ending in ("pdf", "png"):
            save_figure(figure, tmp_path / f"{name}.{ending}")
    for ending in ("pdf", "png"):
        assert (tmp_path / f"once.{ending}").read_bytes() == (tmp_path / f"again.{ending}").read_bytes()
    (axes,) = figure.axes
    shown = sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() not in ("None", "", None))
    assert shown == len(tables[ACCURACY_AGAINST_BITS])


def test_the_tables_have_a_row_for_each_run():
    tables = set_tables(technique_tables(techniques(), PUBLISHED_FILES))
    assert tuple(table.name for table in tables) == TECHNIQUE_TABLES
    for table in tables:
        assert len(table.rows) == len(RUNS)
        assert all(len(row) == len(table.head) for row in table.rows)


def test_a_run_that_is_called_as_its_technique_has_the_name_of_that_alone():
    machine = dataclasses.replace(techniques().machine, runs={"rtn": RUNS["rtn_3"]})
    assert label(machine, "rtn") == "RTN"
