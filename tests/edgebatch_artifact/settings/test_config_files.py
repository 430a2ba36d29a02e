"""conf/ against published facts, each written down here a second time with its source."""

from dataclasses import fields
from functools import cache

import pytest
import yaml

from edgebatch import InputError, Llm, Storage, Tuning, schedulers
from edgebatch.model.roofline import Roofline
from edgebatch.network import methods
from edgebatch.serving import policies
from edgebatch_artifact.settings.compose import compose_config, compose_files, setting_of
from edgebatch_artifact.settings.conf_folder import groups
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"
KNOWN = groups(CONF)


@cache
def _files(group):
    files = compose_files(CONF, [(group, name) for name in KNOWN[group]])
    return {name: content for (_, name), content in files.items()}


# (layers, hidden size, feed-forward size); BLOOM: arXiv 2211.05100, Table 3; OPT: arXiv 2205.01068, Table 1.
# The feed-forward size is four times the hidden size in both families.
SHAPES = {
    "bloom_1b7": (24, 2048, 8192),
    "bloom_3b": (30, 2560, 10240),
    "bloom_7b1": (30, 4096, 16384),
    "bloom_176b": (70, 14336, 57344),
    "opt_6b7": (32, 4096, 16384),
    "opt_13b": (40, 5120, 20480),
    "opt_30b": (48, 7168, 28672),
    "opt_66b": (64, 9216, 36864),
}


# Bytes of keys and values a token at 16 bits: 4 x layers x key heads x head size of the published config.json
CACHES = {
    "llama_3_1_8b": 131_072,
    "llama_3_2_3b": 114_688,
    "llama_3_3_70b": 327_680,
    "llama_2_7b": 524_288,
    "llama_2_70b": 327_680,
    "qwen2_5_7b": 57_344,
    "qwen3_4b": 147_456,
    "qwen3_8b": 147_456,
    "qwen3_32b": 262_144,
    "qwen3_30b_a3b": 98_304,
    "mixtral_8x7b": 131_072,
    "gemma_2_2b": 106_496,
    "phi_3_mini": 393_216,
    "smollm2_135m": 23_040,
    "bert_large": 0,
    "flan_t5_xl": 196_608,
}
SAME_WEIGHTS = [name for name in KNOWN["model"] if name.startswith("same_weights_")]


def _llm(name):
    shape = _files("model")[name]
    return Llm(**{field.name: shape[field.name] for field in fields(Llm) if field.name in shape})


def test_models_of_the_paper_have_their_published_shapes():
    files = _files("model")
    found = {n: (files[n]["layers"], files[n]["hidden_size"], files[n]["ffn_size"]) for n in SHAPES}
    assert found == SHAPES


def test_models_of_the_paper_leave_out_embeddings_and_the_others_do_not():
    assert {n for n in KNOWN["model"] if _llm(n).vocabulary == 0} == {*SHAPES, *SAME_WEIGHTS}


@pytest.mark.parametrize("name", sorted({*KNOWN["model"]} - {*SAME_WEIGHTS}))
def test_a_model_has_its_published_parameters_to_one_percent(name):
    shape = _files("model")[name]
    counted = _llm(name).parameters + shape.get("left_out_parameters", 0)
    assert counted == pytest.approx(shape["published_parameters"], rel=0.01)


@pytest.mark.parametrize("name", CACHES)
def test_a_token_of_a_model_of_today_keeps_its_published_cache(name):
    assert _llm(name).kv_bytes_per_token == CACHES[name]


def test_models_of_the_same_weights_differ_by_less_than_a_thousandth():
    weights = [_llm(name).weight_bytes for name in SAME_WEIGHTS]
    assert len(weights) == 6
    assert max(weights) < 1.001 * min(weights)


@pytest.mark.parametrize(
    ("technique", "model", "fp16", "quantized"),
    [
        # GPTQ, arXiv 2210.17323: WikiText-2, tables for OPT and for BLOOM
        ("w4a16_gptq_wikitext2", "opt_13b", 10.13, 10.31),
        ("w4a16_rtn_wikitext2", "opt_13b", 10.13, 11.32),
        ("w3a16_gptq_wikitext2", "opt_13b", 10.13, 11.61),
        ("w4a16_gptq_wikitext2", "bloom_176b", 8.11, 8.21),
        ("w3a16_gptq_wikitext2", "bloom_3b", 13.48, 17.4),
        # AWQ, arXiv 2306.00978: INT3 with groups of 128, OPT
        ("w3a16_awq_g128_wikitext2", "opt_6b7", 10.86, 11.39),
        # ZeroQuant-V2, arXiv 2303.08302: mean of WikiText-2, PTB and C4
        ("w16a16", "opt_13b", 11.22, 11.22),
        ("w4a16_gptq", "opt_13b", 11.22, 11.42),
        ("w4a8_gptq", "bloom_176b", 10.9, 11.86),
    ],
)
def test_perplexities_are_those_of_the_papers(technique, model, fp16, quantized):
    content = _files("quantization")[technique]
    assert content["fp16"]["perplexity"][model] == fp16
    assert content["perplexity"][model] == quantized


@pytest.mark.parametrize(
    ("device", "memory_bytes", "bandwidth", "flops"),
    [
        # NVIDIA's data sheets; FP16, dense
        ("jetson_tx2", 8e9, 59.7e9, 1.33e12),
        ("jetson_agx_orin_64gb", 64e9, 204.8e9, 42.5e12),
        ("jetson_orin_nano_8gb", 8e9, 68e9, 10e12),
        ("a100_sxm_80gb", 80e9, 2039e9, 312e12),
        ("h100_sxm_80gb", 80e9, 3.35e12, 989e12),
        ("l4", 24e9, 300e9, 121e12),
    ],
)
def test_devices_are_those_of_the_data_sheets(device, memory_bytes, bandwidth, flops):
    content = _files("edge_node")[device]
    assert content["devices"] == 1
    assert content["memory_bytes"] == memory_bytes
    assert content["device_bandwidth_bytes_per_s"] == pytest.approx(bandwidth, rel=1e-3)
    assert content["device_flops"] == pytest.approx(flops, rel=1e-3)


def test_the_nominal_node_is_twenty_tx2():
    node, tx2 = _files("edge_node")["nominal"], _files("edge_node")["jetson_tx2"]
    assert (node["devices"], node["device_flops"]) == (20, tx2["device_flops"])


def test_the_nominal_cost_model_counts_arithmetic_alone():
    assert setting_of(compose_config(CONF, [])).system.cost == "flops"


def test_under_roofline_all_devices_together_have_their_bandwidths_together():
    # twenty times the 59.7 GB/s of a TX2
    assert setting_of(compose_config(CONF, ["cost=roofline"])).system.cost == Roofline(1.194e12)
    assert setting_of(compose_config(CONF, ["cost=roofline", "edge_node=l4"])).system.cost == Roofline(300e9)


@pytest.mark.parametrize(
    ("technique", "under_flops", "under_roofline"),
    [
        ("w16a16", 1.0, 1.0),
        ("w8a16_gptq", 1 / 1.5, 1.0),
        ("w4a16_gptq", 1 / 2, 1.0),
        ("w4a8_gptq", 1 / 2, 1 / 2),
    ],
)
def test_quantized_weights_alone_speed_up_arithmetic_under_flops_only(technique, under_flops, under_roofline):
    for cost, factor in (("flops", under_flops), ("roofline", under_roofline)):
        system = setting_of(compose_config(CONF, [f"quantization={technique}", f"cost={cost}"])).system
        assert system.quantization.compute_factor == factor


def _published():
    """Techniques whose values are from papers; others are measured, and say which command wrote them."""
    files = _files("quantization").items()
    texts = {name: (CONF / f"quantization/{name}.yaml").read_text(encoding="utf-8") for name, _ in files}
    return {name: content for name, content in files if "# Written by `" not in texts[name]}


def test_published_techniques_have_their_bits_in_their_names():
    for name, content in _published().items():
        bits = f"w{int(content['weight_bits'])}a{int(content['activation_bits'])}"
        assert name.partition("_")[0] == bits, name
        assert set(content["perplexity"]) <= set(SHAPES)


def test_quantization_saves_bits_and_costs_perplexity():
    for name, content in _files("quantization").items():
        assert content["perplexity"], name
        for model, perplexity in content["perplexity"].items():
            assert model in KNOWN["model"]
            assert perplexity >= content["fp16"]["perplexity"][model] - 0.05, (name, model)


def test_every_file_of_published_values_names_its_source():
    for group in ("model", "quantization", "fp16_perplexity", "edge_node", "radio", "storage", "workload"):
        for name in KNOWN[group]:
            first = (CONF / group / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0]
            assert first.startswith("# Source: "), f"{group}/{name}"


@pytest.mark.parametrize("name", KNOWN["scheduler"])
def test_a_scheduler_file_sets_all_options_of_its_scheduler(name):
    content = yaml.safe_load((CONF / f"scheduler/{name}.yaml").read_text(encoding="utf-8"))
    registry = methods if content["name"] in methods.names() else schedulers
    known = {} if content["name"] in policies.names() else registry.options(content["name"])
    assert set(content["options"]) == set(known)


def test_every_method_for_several_nodes_has_a_file_of_its_name():
    files = {name: yaml.safe_load((CONF / f"scheduler/{name}.yaml").read_text()) for name in methods.names()}
    assert {name: content["name"] for name, content in files.items()} == {name: name for name in files}


def test_every_policy_of_continuous_batching_has_a_file_of_its_name():
    files = {name: yaml.safe_load((CONF / f"scheduler/{name}.yaml").read_text()) for name in policies.names()}
    assert {name: content["name"] for name, content in files.items()} == {name: name for name in files}


@pytest.mark.parametrize("name", schedulers.names())
def test_every_scheduler_has_a_file_of_its_name_with_the_defaults_of_its_signature(name):
    content = yaml.safe_load((CONF / f"scheduler/{name}.yaml").read_text(encoding="utf-8"))

    def plain(value):
        return sorted(value) if isinstance(value, (list, tuple, set, frozenset)) else value

    assert content["name"] == name
    defaults = {option: plain(value) for option, value in schedulers.options(name).items()}
    assert {option: plain(value) for option, value in content["options"].items()} == defaults


def test_no_two_schedulers_have_the_same_colour():
    colours = [content["color"] for content in _files("scheduler").values()]
    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("figure", [*KNOWN["experiment"], "race"])
def test_schedulers_of_one_figure_have_different_markers(figure):
    drawn = ["surrogate", "milp", "milp_big_m", "cp_sat"]
    if figure != "race":
        swept = yaml.safe_load((CONF / "experiment" / f"{figure}.yaml").read_text(encoding="utf-8"))
        drawn = swept["hydra"]["sweeper"]["params"].get("scheduler", "dftsp").split(",")
    markers = [_files("scheduler")[name]["marker"] for name in drawn]
    assert len(set(markers)) == len(markers)


def test_labels_within_a_group_are_different():
    for group in ("model", "quantization", "edge_node", "storage", "cost", "scheduler"):
        labels = [content["label"] for content in _files(group).values()]
        assert len(set(labels)) == len(labels), group


def test_speedups_of_published_techniques_follow_from_their_bits():
    speedups = compose_config(CONF, []).data["speedup"]
    for name, content in _published().items():
        assert content["speedup"] == speedups[f"w{int(content['weight_bits'])}"], name


@pytest.mark.parametrize(
    ("device", "bytes_per_s"),
    [
        # SD 3.01, bus SDR104; Samsung: eMMC 5.1 (2015), eUFS 3.1 (2020), 970 EVO Plus, 990 PRO
        ("sd_uhs_i", 104e6),
        ("emmc_5_1", 250e6),
        ("ufs_3_1", 2.1e9),
        ("nvme_gen3", 3.5e9),
        ("nvme_gen4", 7.45e9),
    ],
)
def test_storage_reads_as_fast_as_published(device, bytes_per_s):
    assert _files("storage")[device]["device_speed_bytes_per_s"] == bytes_per_s
    chosen = [f"storage={device}", "offload.share=0.5"]
    storage = setting_of(compose_config(CONF, chosen)).system.storage
    # the nominal node has twenty devices
    assert storage == Storage(
        0.5, 20 * bytes_per_s, capacity_bytes=20 * _files("storage")[device]["capacity_bytes"]
    )


def test_nominally_all_weights_are_in_memory_and_nothing_is_tuned():
    system = setting_of(compose_config(CONF, [])).system
    assert (system.storage, system.tuning) == (None, None)
    assert setting_of(compose_config(CONF, ["storage=emmc_5_1"])).system == system


def test_tuning_begins_with_its_first_step():
    system = setting_of(compose_config(CONF, ["tuning.steps_per_s=0.01"])).system
    assert system.tuning == Tuning(4, 4, 256, 0.01, 16)


@pytest.mark.parametrize(
    ("overrides", "refusal"),
    [
        (["offload.share=0.5"], r"offload\.share: found 0\.5, expected 0, or a storage other than none"),
        (["offload.coder=zstd"], r"offload\.coder: found 'zstd', expected one of plain, which the technique"),
        (["offload.share=1.5"], r"offload\.share: found 1\.5, expected a number at least 0 and at most 1"),
        (
            ["storage=sd_uhs_i", "offload.share=1", "storage.capacity_bytes=1"],
            r"storage\.capacity_bytes: found 20",
        ),
        (
            ["tuning.steps_per_s=1", "tuning.window_layers=31"],
            r"tuning\.window_layers: found 31, expected at most 30",
        ),
        (["tuning.steps_per_s=1000"], r"tuning\.steps_per_s: found 1000\.?0?, expected below"),
    ],
)
def test_what_cannot_be_loaded_or_tuned_is_refused(overrides, refusal):
    with pytest.raises(InputError, match=refusal):
        setting_of(compose_config(CONF, overrides))
