import pytest

from edgebatch.errors import InputError
from edgebatch.network import methods
from edgebatch_artifact.settings.compose import compose_config, compose_files, setting_of
from edgebatch_artifact.settings.conf_folder import groups
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"


def test_overrides_of_files_and_keys_reach_the_setting():
    composed = compose_config(CONF, ["model=opt_13b", "workload.arrival_rate=7", "scheduler=static_batching"])
    found = setting_of(composed)
    assert (found.system.llm.layers, found.system.llm.hidden_size) == (40, 5120)
    assert found.workload.arrival_rate == 7
    assert found.scheduler.name == "static_batching"
    assert composed.choices["model"] == "opt_13b"


def test_without_overrides_the_setting_is_the_nominal_one_at_full_scale():
    found = setting_of(compose_config(CONF, []))
    assert found.simulation == setting_of(compose_config(CONF, ["scale=full"])).simulation
    assert found.simulation != setting_of(compose_config(CONF, ["scale=smoke"])).simulation
    assert found.scheduler.name == "dftsp"
    assert found.system.edge_node.flops == pytest.approx(20 * 1.33e12)


def test_a_regime_reaches_into_other_groups():
    paper, balanced = (setting_of(compose_config(CONF, [f"regime={name}"])) for name in ("paper", "balanced"))
    assert balanced.system.edge_node.memory_bytes < paper.system.edge_node.memory_bytes
    assert balanced.radio.uplink_bandwidth_hz < paper.radio.uplink_bandwidth_hz


def test_fixed_padding_reaches_the_system_and_batch_padding_does_not():
    fixed = setting_of(compose_config(CONF, ["padding.to=fixed", "padding.fixed_tokens=600"]))
    assert fixed.system.fixed_padding_tokens == 600
    assert setting_of(compose_config(CONF, ["padding.fixed_tokens=600"])).system.fixed_padding_tokens is None


def test_a_file_composed_by_itself_is_the_one_that_its_group_composes():
    alone = compose_files(CONF, [("quantization", "w4a16_gptq"), ("scheduler", "no_batching")])
    whole = compose_config(CONF, ["quantization=w4a16_gptq", "scheduler=no_batching"]).data
    assert alone["quantization", "w4a16_gptq"] == whole["quantization"]
    assert alone["scheduler", "no_batching"] == whole["scheduler"]


def test_every_file_of_every_group_composes_into_a_setting():
    known = {g: groups(CONF)[g] for g in ("model", "edge_node", "scheduler", "regime", "workload", "radio")}
    for number in range(max(map(len, known.values()))):
        chosen = {group: files[number % len(files)] for group, files in known.items()}
        # perplexities of quantized models are known of the paper's models alone
        overrides = [f"{group}={file}" for group, file in chosen.items()]
        # an encoder alone puts out one token, and takes its prompt as a whole
        if chosen["model"] in (
            "bert_large",
            "flan_t5_xl",
            "same_weights_encoder",
            "same_weights_encoder_decoder",
        ):
            chosen |= {"scheduler": "dftsp", "workload": "paper"}
            overrides = [f"{group}={file}" for group, file in chosen.items()]
        if chosen["scheduler"] in methods.names():
            chosen |= {"radio": "macro_cell", "workload": "paper"}
            overrides = [f"{group}={file}" for group, file in chosen.items()]
        fixed = ["quantization=w16a16", "workload.output_tokens=[1]"]
        composed = compose_config(CONF, [*overrides, *fixed])
        assert setting_of(composed).id()
        assert chosen.items() <= composed.choices.items()


def test_a_model_without_decoder_is_refused_where_its_outputs_are_set():
    composed = compose_config(CONF, ["model=bert_large", "quantization=w16a16"])
    expected = "workload/paper.yaml: workload.output_tokens: found 512, expected 1: the model has no decoder"
    with pytest.raises(InputError, match=expected):
        setting_of(composed)
