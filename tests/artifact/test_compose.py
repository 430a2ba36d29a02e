import shutil

import pytest

from artifact.compose import compose_config, compose_files, groups, setting
from artifact.sweep import sweep
from edgebatch.errors import InputError
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"


@pytest.fixture
def conf(tmp_path):
    return shutil.copytree(CONF, tmp_path / "conf")


def _refusal(conf, *overrides):
    """The line that refuses overrides of the command line."""
    with pytest.raises(InputError) as refused:
        setting(compose_config(conf, overrides))
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


def test_overrides_of_files_and_keys_reach_the_setting():
    composed = compose_config(CONF, ["model=opt_13b", "workload.arrival_rate=7", "scheduler=static_batching"])
    found = setting(composed)
    assert (found.system.llm.layers, found.system.llm.hidden_size) == (40, 5120)
    assert found.workload.arrival_rate == 7
    assert found.scheduler.name == "static_batching"
    assert composed.choices["model"] == "opt_13b"


def test_without_overrides_the_setting_is_the_nominal_one_at_full_scale():
    found = setting(compose_config(CONF, []))
    assert found.simulation == setting(compose_config(CONF, ["scale=full"])).simulation
    assert found.simulation != setting(compose_config(CONF, ["scale=smoke"])).simulation
    assert found.scheduler.name == "dftsp"
    assert found.system.edge_node.flops == pytest.approx(20 * 1.33e12)


def test_a_regime_reaches_into_other_groups():
    paper, balanced = (setting(compose_config(CONF, [f"regime={name}"])) for name in ("paper", "balanced"))
    assert balanced.system.edge_node.memory_bytes < paper.system.edge_node.memory_bytes
    assert balanced.radio.uplink_bandwidth_hz < paper.radio.uplink_bandwidth_hz


def test_fixed_padding_reaches_the_system_and_batch_padding_does_not():
    fixed = setting(compose_config(CONF, ["padding.to=fixed", "padding.fixed_tokens=600"]))
    assert fixed.system.fixed_padding_tokens == 600
    assert setting(compose_config(CONF, ["padding.fixed_tokens=600"])).system.fixed_padding_tokens is None


@pytest.mark.parametrize(
    ("override", "start", "hint"),
    [
        ("model=bloom_3", "command line: model: found 'bloom_3'", "did you mean bloom_3b?"),
        (
            "workload.arival_rate=3",
            "command line: workload.arival_rate",
            "did you mean workload.arrival_rate?",
        ),
        ("modle=bloom_3b", "command line: modle", "did you mean model?"),
        ("workload.arrival_rate=fast", "command line: workload.arrival_rate: found 'fast'", "number"),
        ("workload.arrival_rate=-1", "command line: workload.arrival_rate: found -1", "above 0"),
        ("simulation.epochs=1.5", "command line: simulation.epochs: found 1.5", "whole number"),
        ("quantization.weight_bits=32", "command line: quantization.weight_bits: found 32", "16"),
        ("scheduler.options.pruning=[suply]", "command line: scheduler.options.pruning", "supply"),
        ("cost=time", "command line: cost: found 'time'", "flops"),
        ("workload.arrival_rate", "command line: workload.arrival_rate: found no value", "key=value"),
        ("padding.to=fixd", "command line: padding.to: found 'fixd'", "fixed"),
    ],
)
def test_an_override_that_cannot_be_used_is_refused_in_one_line(override, start, hint):
    line = _refusal(CONF, override)
    assert line.startswith(start), line
    assert hint in line, line


def test_a_model_without_perplexity_is_refused_with_those_that_have_one():
    line = _refusal(CONF, "quantization=w3a16_awq_g128_wikitext2", "model=bloom_3b")
    file = "conf/quantization/w3a16_awq_g128_wikitext2.yaml"
    assert line.startswith(f"{file}: quantization.perplexity.bloom_3b: found nothing")
    assert "opt_13b" in line


def test_padding_below_the_longest_prompt_is_refused():
    assert "at least 512" in _refusal(CONF, "padding.to=fixed", "padding.fixed_tokens=100")


@pytest.mark.parametrize(
    ("file", "old", "new", "start"),
    [
        ("model/bloom_3b.yaml", "layers:", "layer:", "conf/model/bloom_3b.yaml: model.layer"),
        ("model/bloom_3b.yaml", "layers: 30", "layers: thirty", "conf/model/bloom_3b.yaml: model.layers"),
        (
            "workload/paper.yaml",
            "arrival_rate: 100",
            "arrival_rate: 0",
            "conf/workload/paper.yaml: workload.arr",
        ),
        ("radio/paper.yaml", "fading: shared", "fading: none", "conf/radio/paper.yaml: radio.fading"),
        ("scale/full.yaml", "epochs: ", "epochs: -", "conf/scale/full.yaml: simulation.epochs"),
        ("config.yaml", "uplink_s: 0.25", "uplink_s: -1", "conf/config.yaml: slots.uplink_s"),
        ("config.yaml", "padding: {", "paddings: {", "conf/config.yaml: padding"),
        ("cost/flops.yaml", "name: flops", "name: flop", "conf/cost/flops.yaml: cost.name"),
        (
            "scheduler/dftsp.yaml",
            "node_limit:",
            "node_limt:",
            "conf/scheduler/dftsp.yaml: scheduler.options.node",
        ),
        ("model/bloom_3b.yaml", "layers: 30", "layers: [30", "conf/model/bloom_3b.yaml: line"),
    ],
)
def test_a_spoilt_file_is_refused_in_one_line_with_file_and_key(conf, file, old, new, start):
    path = conf / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    line = _refusal(conf)
    assert line.startswith(start), line


def test_a_file_composed_by_itself_is_the_one_that_its_group_composes():
    alone = compose_files(CONF, [("quantization", "w4a16_gptq"), ("scheduler", "no_batching")])
    whole = compose_config(CONF, ["quantization=w4a16_gptq", "scheduler=no_batching"]).data
    assert alone["quantization", "w4a16_gptq"] == whole["quantization"]
    assert alone["scheduler", "no_batching"] == whole["scheduler"]


def test_every_file_of_every_group_composes_into_a_setting():
    known = {g: groups(CONF)[g] for g in ("model", "edge_node", "scheduler", "regime", "workload", "radio")}
    for number in range(max(map(len, known.values()))):
        chosen = {group: files[number % len(files)] for group, files in known.items()}
        composed = compose_config(CONF, [f"{group}={file}" for group, file in chosen.items()])
        assert setting(composed).id()
        assert chosen.items() <= composed.choices.items()


def test_sweeps_have_the_grammar_of_hydra():
    axes = sweep({"a": "1,2.5,x", "b": "range(1,4)", "c": 7, "d": "[1,2],[3]"}, "file")
    assert axes == {"a": [1, 2.5, "x"], "b": [1, 2, 3], "c": [7], "d": [[1, 2], [3]]}


@pytest.mark.parametrize("values", ["", "[1,2", "range(3,3)", "choice()"])
def test_a_sweep_without_values_or_grammar_is_refused_in_one_line(values):
    with pytest.raises(InputError, match=r"^file: hydra\.sweeper\.params\.a: ") as refused:
        sweep({"a": values}, "file")
    assert len(str(refused.value).splitlines()) == 1
