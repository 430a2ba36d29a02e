"""A GGUF file of one's own is measured, untimed, here two layers of what is shipped (`make engine`)."""

import dataclasses

import pytest

from edgebatch.engine.gguf_file import read_weights, shipped_model
from edgebatch.errors import InputError
from edgebatch_artifact.engine.fits import points
from edgebatch_artifact.engine.measure import measure_perplexity, measure_steps, prepare
from edgebatch_artifact.engine.stored import read_machine, read_rows
from edgebatch_artifact.settings.measured.engine import DecodePoints, PrefillPoints, Samples
from edgebatch_artifact.settings.measured.engine_file import read_engine_config
from tests.workflow.checkout import ROOT

installed = pytest.importorskip("cyllama", reason="the engine is not installed: make engine")
gguf = pytest.importorskip("gguf", reason="the engine is not installed: make engine")

LAYERS, VOCABULARY = 2, 2048
CONFIG = dataclasses.replace(
    read_engine_config(ROOT / "conf"),
    formats=("F16", "Q4_0"),
    repetitions=1,
    peak_repetitions=1,
    prefill=(PrefillPoints(8, (1, 2)),),
    decode=DecodePoints((8,), (1, 2), 1),
    perplexity=Samples(1, 4, 0),
)


def _said(doing):
    assert "\n" not in doing


def _rewritten(path, architecture, layers):
    """The shipped model with fewer layers and tokens, and with another name of its architecture."""
    reader = gguf.GGUFReader(shipped_model())
    writer = gguf.GGUFWriter(path, architecture)
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name == "general.architecture":
            continue
        value = layers if field.name == "llama.block_count" else field.contents()
        value = VOCABULARY if field.name == "llama.vocab_size" else value
        value = value[:VOCABULARY] if isinstance(value, list) else value
        inner = field.types[-1] if len(field.types) > 1 else None
        writer.add_key_value(field.name, value, field.types[0], sub_type=inner)
    kept = [
        tensor
        for tensor in reader.tensors
        if not tensor.name.startswith("blk.") or int(tensor.name.split(".")[1]) < layers
    ]
    for tensor in kept:
        rows = VOCABULARY if tensor.name == "token_embd.weight" else len(tensor.data)
        writer.add_tensor(tensor.name, tensor.data[:rows], raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    return _rewritten(tmp_path_factory.mktemp("own") / "own.gguf", "llama", LAYERS)


def test_a_model_of_ones_own_is_measured_with_the_shape_of_its_file(own, tmp_path):
    folder, models = tmp_path / "mine", tmp_path / "models"
    machine = prepare(folder, models, own, CONFIG, _said)
    assert machine.model == "own.gguf"
    assert machine.llm == dataclasses.replace(
        read_weights(shipped_model(), 1e12).llm, layers=LAYERS, vocabulary=VOCABULARY
    )
    assert machine.formats["Q4_0"].weight_bytes < machine.formats["F16"].weight_bytes
    measure_steps(folder, models, machine, _said)
    measure_perplexity(folder, models, machine, _said)
    steps = read_rows(folder, "steps")
    assert len(points(steps)) == len(CONFIG.points) * len(CONFIG.formats)
    assert set(read_rows(folder, "perplexity")["format"]) == set(CONFIG.formats)
    assert read_machine(folder) == prepare(folder, models, own, CONFIG, _said)


def test_what_is_measured_already_is_kept_and_what_is_missing_is_added(own, tmp_path):
    folder, models = tmp_path / "mine", tmp_path / "models"
    machine = prepare(folder, models, own, CONFIG, _said)
    measure_steps(folder, models, machine, _said)
    whole = read_rows(folder, "steps")
    cut = whole[(whole["format"] != "Q4_0") | (whole["stage"] == "prefill")]
    (folder / "steps.csv").write_text(cut.to_csv(index=False))
    measure_steps(folder, models, machine, _said)
    again, keys = read_rows(folder, "steps"), ["repetition", "format", "stage", "batch", "tokens"]
    assert again[: len(cut)].equals(cut.reset_index(drop=True))
    assert sorted(again[keys].itertuples(index=False)) == sorted(whole[keys].itertuples(index=False))


def test_another_model_or_an_unknown_architecture_is_refused_in_a_line(own, tmp_path):
    folder, models = tmp_path / "mine", tmp_path / "models"
    prepare(folder, models, own, CONFIG, _said)
    unknown = _rewritten(tmp_path / "unknown.gguf", "gpt2", LAYERS)
    for model, found in (
        (unknown, "general.architecture: found 'gpt2', expected one of llama"),
        (None, "model_sha256"),
    ):
        with pytest.raises(InputError) as refused:
            prepare(folder, models, model, CONFIG, _said)
        assert found in str(refused.value)
        assert "\n" not in str(refused.value)
