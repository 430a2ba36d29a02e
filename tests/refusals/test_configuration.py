"""A file of conf/ that cannot be used: the file, the way it is spoilt, and the line that answers it."""

import os

import pytest

from edgebatch_artifact.cli import main
from tests.refusals.refused import refusal, says
from tests.workflow.checkout import copy_conf

MODEL, WORKLOAD, RADIO = "conf/model/bloom_3b.yaml", "conf/workload/paper.yaml", "conf/radio/paper.yaml"
NODE, BITS, DFTSP = (
    "conf/edge_node/nominal.yaml",
    "conf/quantization/w8a16_gptq.yaml",
    "conf/scheduler/dftsp.yaml",
)
CONFIG, SCALE, CLAIMS = "conf/config.yaml", "conf/scale/full.yaml", "conf/claims.yaml"
COUNT = "expected a whole number at least 1 and at most 1e+09"
FROM_0 = "expected a whole number at least 0 and at most 1e+09"
LAYERS = "layers: 30"

VALUES = [
    # file, what stands there, what stands there instead, the answer
    (MODEL, LAYERS, "layers: thirty", f"{MODEL}: model.layers: found 'thirty', {FROM_0}"),
    (MODEL, LAYERS, "layers: '30'", f"{MODEL}: model.layers: found '30', {FROM_0}"),
    (MODEL, LAYERS, "layers: 0", f"{MODEL}: model.layers: found 0, expected a whole number at least 1, or encoder_layers at least 1"),
    (MODEL, LAYERS, "layers: true", f"{MODEL}: model.layers: found true, {FROM_0}"),
    (MODEL, LAYERS, "layers:", f"{MODEL}: model.layers: found nothing, {FROM_0}"),
    (MODEL, LAYERS, "layers: .nan", f"{MODEL}: model.layers: found nan, {FROM_0}"),
    (MODEL, LAYERS, "layers: [30]", f"{MODEL}: model.layers: found a list of 1, {FROM_0}"),
    (MODEL, LAYERS, "layers: 1" + "0" * 400, f"{MODEL}: model.layers: found a whole number of 1329 bits, {FROM_0}"),
    (MODEL, LAYERS, "layers: 1" + "0" * 5000, f"{MODEL}: found Exceeds the limit ..., expected YAML that can be read"),
    (MODEL, LAYERS, "30: layers", f"{MODEL}: model.30: found an unknown key, expected one of active_experts, encoder_layers, ..., label, layers, ..."),
    (MODEL, LAYERS, "layer: 30", f"{MODEL}: model.layer: found an unknown key, expected one of ... (did you mean layers?)"),
    (MODEL, "label: BLOOM-3B", "label: 3", f"{MODEL}: model.label: found 3, expected a text"),
    (WORKLOAD, "[128, 256, 512]", "[]", f"{WORKLOAD}: workload.prompt_tokens: found an empty list, expected at least one length"),
    (WORKLOAD, "[128, 256, 512]", "[128, 0]", f"{WORKLOAD}: workload.prompt_tokens[1]: found 0, {COUNT}"),
    (WORKLOAD, "rate: 100", "rate: 0", f"{WORKLOAD}: workload.arrival_rate: found 0.0, expected a number above 0"),
    (WORKLOAD, "rate: 100", "rate: 1.0e+12", f"{WORKLOAD}: workload.arrival_rate: found 9.6e+13 requests of up to 2 epochs, expected at most 100000000 of both together, that memory holds a run"),
    (WORKLOAD, "mean_s: 1.25", "mean_s: 1.0e+12", f"{WORKLOAD}: workload.latency.mean_s: found 1000000000000.0, expected at most 100000000 epochs of 2 s"),
    (WORKLOAD, "low: 0.0", "low: 0.9, high: 0.5", "...duplicate key high, expected YAML"),
    (WORKLOAD, "low: 0.0, high: 1.0", "low: 0.9, high: 0.5", f"{WORKLOAD}: workload.accuracy.low: found 0.9, expected at most high, 0.5"),
    (RADIO, "fading: shared", "fading: none", f"{RADIO}: radio.fading: found 'none', expected one of separate, shared"),
    (RADIO, "user_power_dbm: 20", "user_power_dbm: 1.0e+6", f"{RADIO}: radio.user_power_dbm: found 1000000.0, expected a number at least -1000 and at most 1000"),
    (RADIO, "mean_gain: {mean_path_gain: 1.0e-3}", "mean_gain: null", f"{RADIO}: radio.mean_gain: found both or neither, expected exactly one of mean_gain and macro_cell"),
    (NODE, "memory_bytes: 32.0e9", "memory_bytes: 32 GB", f"{NODE}: edge_node.memory_bytes: found '32 GB', expected a number above 0"),
    (NODE, "device_flops: 1.33e12", "device_flops: 1.0e+308", f"{NODE}: edge_node.device_flops: found 1e+308, expected a number above 0, pooled"),
    (BITS, "bloom_3b: ", "bloom_3b: -", f"{BITS}: quantization.perplexity.bloom_3b: found -17.59, expected a number at least 1"),
    (BITS, "${speedup.w8}", "${speedup.w9}", f"{BITS}: quantization.speedup: found ${{speedup.w9}}, expected one of speedup.w16, ... (did you mean ...?)"),
    (BITS, "${speedup.w8}", "${speedup.", f"{BITS}: found no viable alternative at input '${{speedup.', expected YAML that can be read"),
    (BITS, "@fp16: zeroquant_v2", "@fp16: zeroquant_v3", f"{BITS}: defaults: found 'fp16_perplexity/zeroquant_v3', expected one of fp16_perplexity/awq, ... (did you mean fp16_perplexity/zeroquant_v2?)"),
    (DFTSP, "name: dftsp", "name: dftps", f"{DFTSP}: scheduler.name: found 'dftps', expected one of ... (did you mean dftsp?)"),
    (DFTSP, "node_limit: null", "node_limit: 0", f"{DFTSP}: scheduler.options.node_limit: found 0, expected null for no limit, or a whole number at least 1 and at most 1e+18"),
    (DFTSP, "node_limit: null", "node_limt: 3", f"{DFTSP}: scheduler.options.node_limt: found an unknown option, expected one of node_limit, pruning (did you mean node_limit?)"),
    (DFTSP, "  node_limit: null\n", "", f"{DFTSP}: scheduler.options.node_limit: found nothing, expected a value, such as None"),
    (DFTSP, "[supply, budget, sibling, batch_size]", "supply", f"{DFTSP}: scheduler.options.pruning: found 'supply', expected a list of rules, one of batch_size, budget, sibling, supply"),
    (DFTSP, "[supply, budget, sibling, batch_size]", "[suply]", f"{DFTSP}: scheduler.options.pruning: found 'suply', expected one of batch_size, budget, sibling, supply (did you mean supply?)"),
    (DFTSP, '"#0072B2"', "blurple", f"{DFTSP}: scheduler.color: found 'blurple', expected six hexadecimal digits, such as \"#0072B2\""),
    (DFTSP, '"o"', "dot", f"{DFTSP}: scheduler.marker: found 'dot', expected one of o s ..."),
    (SCALE, "epochs: 48", "epochs: 1.5", f"{SCALE}: simulation.epochs: found 1.5, {COUNT}"),
    (SCALE, "values_per_axis: null", "values_per_axis: 0", f"{SCALE}: grid.values_per_axis: found 0, expected null for all, or a whole number at least 2"),
    (CONFIG, "form: perplexity_ratio", "form: perplexity", f"{CONFIG}: accuracy_map.form: found 'perplexity', expected one of exponential, perplexity_ratio (did you mean perplexity_ratio?)"),
    (CONFIG, "w8: 1.5", "w8: fast", f"{BITS}: quantization.speedup: found 'fast', expected a number above 0"),
    (CONFIG, "- model: bloom_3b", "- model: bloom", f"{CONFIG}: defaults: found 'model/bloom', expected one of ... (did you mean model/bloom_3b?)"),
    (CONFIG, "- scheduler: dftsp", "- schedulr: dftsp", f"{CONFIG}: defaults: found 'schedulr/dftsp', expected one of ... (did you mean scheduler?)"),
    (CONFIG, "- _self_", "- _self", f"{CONFIG}: defaults: found '_self', expected one of ..."),
    (CONFIG, "most_settings: 5000", "most_settings: 0", f"{CONFIG}: most_settings: found 0, {COUNT}"),
]  # fmt: skip

CLAIMED = [
    ("confidence: 0.95", "confidence: 1", f"{CLAIMS}: confidence: found 1.0, expected a number above 0 and at most 0.9999"),
    ("confidence: 0.95\n", "", f"{CLAIMS}: confidence: found nothing, expected a number above 0 and at most 0.9999"),
    ("test: equals", "test: equal", f"{CLAIMS}: claims[2].test: found 'equal', expected one of ... (did you mean equals?)"),
    ("test: surpasses, c", "test: somewhere, c", f"{CLAIMS}: claims[4].parts[0].test: found 'somewhere', expected one of equals, reaches, saves, surpasses"),
    ("column: batch_size", "column: batchsize", f"{CLAIMS}: claims[2].column: found 'batchsize', expected one of ... (did you mean batch_size?)"),
    ("over: [enumeration]", "over: []", f"{CLAIMS}: claims[2]: found no comparison, expected column, of and over: what is compared"),
    ("over: [enumeration]", "over: [enumerate]", f"{CLAIMS}: claims[2].over[0]: found 'enumerate', expected one of ... (did you mean enumeration?)"),
    ("over: [enumeration]", "over: enumeration", f"{CLAIMS}: claims[2].over: found 'enumeration', expected a list"),
    ("of: dftsp, over: [brute", "of: dfstp, over: [brute", f"{CLAIMS}: claims[4].parts[2].of: found 'dfstp', expected one of ... (did you mean dftsp?)"),
    ("experiments: [optimality]", "experiments: []", f"{CLAIMS}: claims[2].experiments: found an empty list, expected the experiments that test the claim"),
    ("id: C2", "id: C1", f"{CLAIMS}: claims[1].id: found 'C1', expected an id that no other claim has"),
    ("    at_least: 0.45\n", "", f"{CLAIMS}: claims[3].at_least: found nothing, expected the share that it saves at least"),
    ("says: DFTSP is optimal", "sais: DFTSP is optimal", f"{CLAIMS}: claims[2].sais: found an unknown key, expected one of ... (did you mean says?)"),
    ("certainty: abstract", "certainty: sure", f"{CLAIMS}: claims[0].certainty: found 'sure', expected one of abstract, chosen, known, recalled"),
    ("of: ideal", "of: idael", f"{CLAIMS}: claims[8].of: found 'idael', expected one of calibrated, ideal (did you mean ideal?)"),
    ("over: [model, device]", "over: [modle, device]", f"{CLAIMS}: claims[10].over[0]: found 'modle', expected one of ... (did you mean model?)"),
    ("over: [model, device]", "over: []", f"{CLAIMS}: claims[10].over: found an empty list, expected one of batches, device, ..."),
    ("    at_most: 0.1\n", "", f"{CLAIMS}: claims[8].at_most: found nothing, expected the median error at most"),
    ("experiments: [calibration]", "experiments: [regimes]", f"{CLAIMS}: claims[8].experiments: found regimes, expected calibration for the test predicts, and for no other"),
]  # fmt: skip

FILES = [
    # what becomes of a file, what stands in it, the answer
    ("a tab before a key", b"label: B\n\tlayers: 30\n", "{}: line 2: found character '\\t' that cannot start any token, expected YAML"),
    ("a tab after a key", b"label: B\nlayers:\t30\n", "{}: line 2: found character '\\t' that cannot start any token, expected YAML"),
    ("a key twice", b"label: B\nlayers: 30\nlayers: 31\n", "{}: line 3: found duplicate key layers, expected YAML"),
    ("a bracket that stays open", b"label: B\nlayers: [30\n", "{}: line 3: found expected ',' or ']', but got '<stream end>', expected YAML"),
    ("a quote that stays open", b"label: 'B\nlayers: 30\n", "{}: line 3: found unexpected end of stream, expected YAML"),
    ("a Python object", b"layers: !!python/object:os.system 3\n", "{}: line 1: found could not determine a constructor for the tag ..., expected YAML"),
    ("Latin-1", b"label: caf\xe9\n", "{}: found byte 10 that is not UTF-8, expected YAML in UTF-8"),
    ("UTF-16", "label: B\n".encode("utf-16"), "{}: found byte 0 that is not UTF-8, expected YAML in UTF-8"),
    ("a zero byte", b"label: B\0\n", "{}: found unacceptable character #x0000..., expected YAML that can be read"),
    ("no text at all", b"\xff", "{}: found byte 0 that is not UTF-8, expected YAML in UTF-8"),
    ("a number alone", b"30\n", "{}: found no mapping, expected a mapping"),
    ("brackets in brackets", b"layers: " + b"[" * 3000 + b"]" * 3000, "{}: found nesting without end, expected YAML of a few levels"),
    ("a list that holds itself", b"layers: &a [*a]\n", "{}: found nesting without end, expected YAML of a few levels"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    copy_conf(tmp_path / "conf")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refusal(capsys, folder):
    return refusal(capsys, folder, lambda: main(["simulate"])).removeprefix("artifact: ")


def _replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(("file", "old", "new", "answer"), VALUES, ids=lambda text: text[:40])
def test_a_value_that_cannot_be_used_is_refused_with_file_and_key(folder, capsys, file, old, new, answer):
    _replace(folder / file, old, new)
    line = _refusal(capsys, folder)
    assert says(line, answer), line


@pytest.mark.parametrize(("old", "new", "answer"), CLAIMED, ids=lambda text: text[:40])
def test_a_claim_that_cannot_be_decided_is_refused_before_anything_runs(folder, capsys, old, new, answer):
    _replace(folder / CLAIMS, old, new)
    line = _refusal(capsys, folder)
    assert says(line, answer), line


@pytest.mark.parametrize(("how", "text", "answer"), FILES, ids=[row[0] for row in FILES])
def test_a_file_that_is_no_yaml_is_refused_with_its_line(folder, capsys, how, text, answer):
    (folder / CLAIMS).write_bytes(text)
    line = _refusal(capsys, folder)
    assert says(line, answer.format(CLAIMS)), line


@pytest.mark.parametrize(("how", "text", "answer"), FILES[::3], ids=[row[0] for row in FILES[::3]])
def test_a_file_that_hydra_cannot_read_is_refused_with_its_line(folder, capsys, how, text, answer):
    (folder / MODEL).write_bytes(text)
    line = _refusal(capsys, folder)
    assert says(line, answer.format(MODEL)), line


def _unreadable(path):
    path.chmod(0)


def _folder(path):
    path.unlink()
    path.mkdir()


def _broken(path):
    path.unlink()
    path.symlink_to("nowhere")


@pytest.mark.parametrize(
    ("how", "found"),
    [
        (os.unlink, "no such file or directory"),
        (_folder, "is a directory"),
        (_broken, "a broken link"),
        pytest.param(
            _unreadable,
            "permission denied",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything"),
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(folder, capsys, how, found):
    how(folder / CLAIMS)
    assert _refusal(capsys, folder) == f"{CLAIMS}: found {found}, expected a readable file"


def test_a_file_of_a_group_that_is_not_there_is_refused_where_it_is_named(folder, capsys):
    (folder / MODEL).unlink()
    line = _refusal(capsys, folder)
    assert says(line, f"{CONFIG}: defaults: found 'model/bloom_3b', expected one of model/bert_large, ..."), (
        line
    )


def test_a_folder_without_configuration_is_refused_by_name(tmp_path, capsys):
    line = refusal(capsys, tmp_path, lambda: main(["simulate", "--conf", str(tmp_path / "none")]))
    assert (
        line
        == f"artifact: {tmp_path / 'none'}: found no config.yaml, expected the folder of the configuration"
    )
