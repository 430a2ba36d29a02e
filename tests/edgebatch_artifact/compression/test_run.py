"""``artifact compress`` on a tiny decoder: whole, ended and gone on with, changed, and refused."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from edgebatch.compression.decoder.model_file import read_decoder
from edgebatch.compression.stored.layer_file import read_layer
from edgebatch.errors import InputError
from edgebatch_artifact.analysis.compression_summary import summarize
from edgebatch_artifact.compression import layers
from edgebatch_artifact.compression.measurement import SUMMARY, TABLES
from edgebatch_artifact.compression.run import run_all
from edgebatch_artifact.compression.stored import read_machine, read_rows
from edgebatch_artifact.settings.measured.compression import CompressionConfig, CompressionRun, TextSettings
from tests.edgebatch.compression.tiny import OPTIONS, SHAPE, decoder, write_gguf

CONFIG = CompressionConfig("tiny", TextSettings(16, 4, 3, 0))
TUNING = {"exits": [2, 3], "window": 2, "rank": 2, "steps": 3, "rate": 0.01, "weight_decay": 0.0, "seed": 0}
RUNS = {
    "edge_llm_tuned": CompressionRun("edge_llm", OPTIONS["edge_llm"][0], TUNING),
    "gptq_3": CompressionRun("gptq", OPTIONS["gptq"][0]),
    "squeezellm_3": CompressionRun("squeezellm", OPTIONS["squeezellm"][0]),
}


def _run(folder, runs=RUNS, config=CONFIG):
    told = []
    run_all(
        folder / "measured",
        folder / "work",
        folder / "tiny.gguf",
        config,
        runs,
        "conf/{}".format,
        told.append,
    )
    return told


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    write_gguf(folder / "tiny.gguf", decoder())
    _run(folder)
    return folder


@pytest.fixture
def fresh(tmp_path):
    write_gguf(tmp_path / "tiny.gguf", decoder())
    return tmp_path


def _tables(folder, without=("compress_s", "zstd_decode_s", "huffman_decode_s", "seconds")):
    """All tables, without what differs from run to run."""
    tables = {name: read_rows(folder / "measured", name) for name in TABLES}
    return {name: table.drop(columns=[*set(without) & set(table)]) for name, table in tables.items()}


def _equal(one, other):
    for name, table in _tables(one).items():
        pd.testing.assert_frame_equal(table, _tables(other)[name])


def test_every_run_has_rows_of_every_layer_and_sequence(whole):
    tables = _tables(whole)
    assert set(tables["sequences"]["run"]) == {*RUNS, "reference"}
    assert (tables["layers"].groupby("run").size() == SHAPE.layers).all()
    exits = tables["sequences"].groupby(["run", "exit"]).size()
    assert (exits == CONFIG.text.evaluation_sequences).all()
    assert ("edge_llm_tuned", "vote") in exits.index
    assert len(tables["steps"]) == TUNING["steps"]


def test_sizes_are_those_of_files_that_were_written(whole):
    rows = _tables(whole)["layers"]
    for path in sorted((whole / "work").glob("gptq_3-*/*.safetensors")):
        row = rows[(rows["run"] == "gptq_3") & (rows["layer"] == int(path.stem))]
        assert row["packed_bytes"].tolist() == [path.stat().st_size]


def test_what_a_layer_holds_is_counted(whole):
    rows = _tables(whole)["layers"].set_index(["run", "layer"])
    weights = sum(stack[0].size for name, stack in decoder().layers.items() if "norm" not in name)
    assert (rows["weights"] == weights).all()
    matrices = read_layer(next((whole / "work").glob("squeezellm_3-*")) / layers.file_name(1))
    sparse = sum(matrix.sparse.values.size for matrix in matrices.values())
    assert rows.loc[("squeezellm_3", 1), "sparse_weights"] == sparse
    tuned = rows.loc["edge_llm_tuned"]
    assert (tuned["adapter_weights"] > 0).all()
    assert tuned["kept_weights"].sum() == pytest.approx(0.75 * tuned["weights"].sum())


def test_huffman_comes_near_the_entropy_of_what_a_layer_holds(whole):
    rows = _tables(whole)["layers"]
    assert ((rows["entropy_bits"] > 0) & (rows["entropy_bits"] <= rows["index_bits"])).all()
    saved = 8 * (rows["packed_bytes"] - rows["huffman_bytes"])
    possible = (rows["index_bits"] - rows["entropy_bits"]) * rows["kept_weights"]
    assert (saved < possible + 64).all()


def test_the_same_command_does_nothing_again(whole):
    before = {path: path.read_bytes() for path in sorted(whole.rglob("*")) if path.is_file()}
    _run(whole)
    assert {path: path.read_bytes() for path in sorted(whole.rglob("*")) if path.is_file()} == before


class Killed(Exception):
    pass


@pytest.mark.parametrize("after", [0, 1, 2, 4])
def test_a_call_that_was_ended_goes_on_and_ends_with_the_same_numbers(whole, fresh, monkeypatch, after):
    write, count = layers.write_layer, 0

    def dies(*arguments):
        nonlocal count
        count += 1
        if count > after:
            raise Killed
        write(*arguments)

    monkeypatch.setattr(layers, "write_layer", dies)
    with pytest.raises(Killed):
        _run(fresh)
    monkeypatch.undo()
    assert not list(fresh.rglob(".part-*"))
    _run(fresh)
    _equal(whole, fresh)


def test_a_run_whose_options_change_is_run_again_and_others_are_not(fresh):
    _run(fresh)
    before = read_rows(fresh / "measured", "layers")
    changed = {**RUNS, "gptq_3": CompressionRun("gptq", OPTIONS["gptq"][1])}
    _run(fresh, {name: run for name, run in changed.items() if name != "squeezellm_3"})
    after = read_rows(fresh / "measured", "layers")
    assert set(after["run"]) == {"edge_llm_tuned", "gptq_3"}
    # times too, which a second run would not meet
    kept = after["run"] == "edge_llm_tuned"
    pd.testing.assert_frame_equal(after[kept], before[before["run"] == "edge_llm_tuned"])
    assert set(after.loc[after["run"] == "gptq_3", "index_bits"]) == {2}
    assert set(read_machine(fresh / "measured").runs) == {"edge_llm_tuned", "gptq_3"}


def test_progress_names_run_and_layer_and_what_is_left(fresh):
    told = _run(fresh)
    assert any("run 1 of 3; edge_llm_tuned: layer 0 of 3" in line for line in told)
    assert any("run 3 of 3, about" in line and "min left; squeezellm_3" in line for line in told)


def _refused(folder, **changed):
    with pytest.raises(InputError) as refused:
        _run(folder, **changed)
    assert "\n" not in str(refused.value)
    return str(refused.value)


GPTQ = OPTIONS["gptq"][0]
REFUSED = {
    "technique": (CompressionRun("gptqq", {}), "technique: found 'gptqq'"),
    "option": (CompressionRun("gptq", GPTQ | {"colour": 1}), "options.colour: found an unknown key"),
    "range": (CompressionRun("gptq", GPTQ | {"weight_bits": 9}), "options.weight_bits: found 9"),
    "tuning": (CompressionRun("gptq", GPTQ, TUNING | {"rank": 0}), "tuning.rank: found 0"),
    "exits": (CompressionRun("gptq", GPTQ, TUNING | {"exits": [9]}), "tuning.exits: found [9]"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_run_that_cannot_be_is_refused_before_anything_is_written(fresh, kind):
    run, words = REFUSED[kind]
    assert f"conf/bad: {words}" in _refused(fresh, runs={"gptq_3": RUNS["gptq_3"], "bad": run})
    assert [path.name for path in fresh.iterdir()] == ["tiny.gguf"]


def test_a_budget_that_no_policy_meets_is_refused_and_leaves_no_rows(fresh):
    options = OPTIONS["edge_llm"][0] | {"mean_weight_bits": 4.1}
    assert "conf/bad: options.mean_weight_bits: found 4.1 bits" in _refused(
        fresh, runs={"bad": CompressionRun("edge_llm", options)}
    )
    assert set(read_rows(fresh / "measured", "sequences")["run"]) == {"reference"}
    assert not list(fresh.rglob("*.safetensors"))


def test_a_text_of_another_size_or_that_is_cut_short_is_refused(fresh):
    _run(fresh, runs={})
    text = fresh / "text.npz"
    other = dataclasses.replace(CONFIG, text=TextSettings(16, 4, 5, 0))
    assert f"{text}: evaluation: found shape (3, 16)" in _refused(fresh, config=other)
    whole = text.read_bytes()
    text.write_bytes(whole[: len(whole) // 2])
    assert f"{text}: found" in _refused(fresh)


def test_a_text_that_is_pickled_is_refused(fresh):
    np.savez(fresh / "text.npz", calibration=np.array([{}], dtype=object), evaluation=np.zeros(1))
    assert "delete it" in _refused(fresh)


def test_another_model_or_package_does_not_go_on_with_a_measurement(fresh):
    _run(fresh, runs={})
    write_gguf(fresh / "tiny.gguf", decoder(5))
    assert "model_sha256: found" in _refused(fresh)
    path = fresh / "measured/measurement.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": "other/1"}))
    assert "expected edgebatch-compression/1" in _refused(fresh)


def test_the_summary_has_intervals_around_the_perplexities(whole):
    tables = _tables(whole, without=())
    table = summarize(tables["sequences"], tables["layers"], 0.95)
    assert tuple(table.columns) == SUMMARY
    assert (
        (table["perplexity_low"] < table["perplexity"]) & (table["perplexity"] < table["perplexity_high"])
    ).all()
    first = table.set_index(["run", "exit"]).loc[("reference", "last")]
    assert first["bits"] == 16
    assert first["divergence"] == pytest.approx(0, abs=1e-6)
    own = tables["layers"][tables["layers"]["run"] == "gptq_3"]
    bits = table.set_index("run").loc["gptq_3", "bits"]
    assert bits == pytest.approx(8 * own["packed_bytes"].sum() / own["weights"].sum())


def test_the_decoder_that_is_judged_is_of_16_bits(fresh):
    found, _ = read_decoder(fresh / "tiny.gguf", 1e12)
    np.testing.assert_array_equal(found.rounded().embedding, found.embedding)
