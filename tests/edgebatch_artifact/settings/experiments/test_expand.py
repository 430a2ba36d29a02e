import itertools
import json
import random
import shutil

import pytest

from edgebatch.errors import InputError
from edgebatch.setting import identity, read_setting
from edgebatch_artifact.settings.assumptions import draw_assumptions
from edgebatch_artifact.settings.compose import compose_config, setting_of
from edgebatch_artifact.settings.conf_folder import groups
from edgebatch_artifact.settings.experiments.expand import expand_experiments, expand_nominal
from edgebatch_artifact.settings.experiments.experiment_file import read_experiment_file
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"
GROUPS = groups(CONF)


@pytest.fixture(scope="module")
def full():
    return expand_experiments(CONF, "full")


@pytest.fixture(scope="module")
def smoke():
    return expand_experiments(CONF, "smoke")


@pytest.fixture
def conf(tmp_path):
    """A copy of the configuration with one experiment, mine.yaml, to be written."""
    shutil.copytree(CONF, tmp_path / "conf")
    for path in (tmp_path / "conf/experiment").glob("*.yaml"):
        path.unlink()
    return tmp_path / "conf"


def _expand(conf, text):
    (conf / "experiment/mine.yaml").write_text(text, encoding="utf-8")
    return expand_experiments(conf, "full")["mine"]


def _overrides(experiment, axes, scale="full"):
    """The Hydra overrides that stand for one point."""
    return [f"+experiment={experiment}", f"scale={scale}", *(f"{key}={value}" for key, value in axes.items())]


def _sample(experiments):
    """A point of each experiment without draws, and one of some regimes of each that sweeps regimes."""
    rng = random.Random(2405)
    for name, experiment in sorted(experiments.items()):
        if "draw" in experiment.points[0].axes:
            continue
        points = list(experiment.points)
        rng.shuffle(points)
        yield from ((name, point) for point in points[:1])
        regimes = {point.axes["regime"]: point for point in points[1:] if "regime" in point.axes}
        yield from ((name, point) for point in list(regimes.values())[: 4 if name == "complexity" else 1])


def test_a_point_has_the_setting_that_hydra_composes_from_its_overrides(full):
    for name, point in _sample(full):
        composed = compose_config(CONF, _overrides(name, point.axes))
        assert setting_of(composed).id() == point.id, (name, point.axes)


def test_a_drawn_point_has_the_setting_that_hydra_composes_from_its_overrides(full):
    file = read_experiment_file(CONF, "robustness")
    draws = draw_assumptions(expand_nominal(CONF).assumptions, file.sample.draws, file.sample.seed)
    points = [p for p in full["robustness"].points if p.axes["scheduler"] == "dftsp"]
    assert len(points) == len(draws) == file.sample.draws
    for point in points[:: len(draws) // 3]:
        values = draws[point.axes["draw"]]
        composed = compose_config(CONF, _overrides("robustness", {"scheduler": "dftsp"} | values))
        assert setting_of(composed).id() == point.id


def test_a_file_that_a_regime_overrides_is_composed_under_the_regime(conf):
    text = GOOD.replace("model: bloom_3b,bloom_7b1", "regime: paper,balanced\n      edge_node: nominal,l4")
    for point in _expand(conf, text.replace("lines: model", "lines: regime")).points:
        assert setting_of(compose_config(conf, _overrides("mine", point.axes))).id() == point.id, point.axes


def test_every_point_of_a_sweep_is_there_once(full):
    axes = [point.axes for point in full["throughput_vs_arrival_rate"].points]
    models, schedulers = ("bloom_3b", "bloom_7b1", "opt_13b"), ("dftsp", "static_batching", "no_batching")
    rates = (10, 25, 50, 100, 150, 200, 250)
    expected = set(itertools.product(models, schedulers, rates))
    assert {(a["model"], a["scheduler"], a["workload.arrival_rate"]) for a in axes} == expected
    assert len(axes) == len(expected)


def test_settings_are_named_by_their_content_and_can_be_read_back(full):
    for experiment in full.values():
        assert {point.id for point in experiment.points} == set(experiment.settings)
        for id_, content in list(experiment.settings.items())[::40]:
            assert read_setting(json.loads(json.dumps(content)), "file").id() == id_ == identity(content)


def test_labels_colours_and_titles_do_not_change_ids(conf):
    before = _expand(conf, GOOD)
    model = conf / "model/bloom_3b.yaml"
    model.write_text(model.read_text().replace("label: BLOOM-3B", "label: Bloom"))
    after = _expand(conf, GOOD.replace("title: Load", "title: Other").replace("Throughput against", "T over"))
    assert set(after.settings) == set(before.settings)
    assert after.labels["model"]["bloom_3b"]["label"] == "Bloom"
    assert after.digest() != before.digest()


def test_a_smoke_grid_keeps_the_ends_of_each_axis_and_every_line(smoke):
    def values(experiment, key):
        return {point.axes[key] for point in smoke[experiment].points}

    assert values("throughput_vs_arrival_rate", "workload.arrival_rate") == {10, 250}
    assert values("throughput_vs_arrival_rate", "model") == {"bloom_3b", "opt_13b"}
    assert values("throughput_vs_arrival_rate", "scheduler") == {"dftsp", "static_batching", "no_batching"}
    assert len(values("throughput_vs_accuracy", "quantization")) == 5
    assert values("complexity", "regime") == {"paper", "balanced"}
    assert values("robustness", "draw") == {0, 1, 2, 3}


def test_every_experiment_has_points_at_both_scales(full, smoke):
    assert list(full) == list(smoke) == list(GROUPS["experiment"])
    assert all(experiment.points for experiment in (*full.values(), *smoke.values()))


def test_a_gap_over_several_epochs_is_refused(conf):
    # what one scheduler leaves behind, another has served: their later epochs have other candidates
    text = GOOD.replace("model: bloom_3b,bloom_7b1", "scheduler: dftsp,static_batching")
    text = text.replace("lines: model", "lines: scheduler")
    text = text.replace("(requests/s)}\n  lines", "(requests/s), relative_to: dftsp}\n  lines")
    assert _expand(conf, text).points
    with pytest.raises(
        InputError, match=r"^conf/experiment/mine.yaml: simulation.epochs: found 2, expected 1"
    ):
        _expand(conf, text.replace("epochs: 1", "epochs: 2"))


@pytest.mark.parametrize(
    ("sweep", "override"),
    [
        ("speedup.w8: 1,2", "simulation: {epochs: 1}"),
        ("quantization: w8a16_gptq,w4a16_gptq", "speedup: {w8: '${speedup.w4}', w4: 3.5}"),
        ("quantization: w8a16_gptq,w4a16_gptq", "quantization: {speedup: 3}"),
        ("workload: paper", "workload: {prompt_tokens: [7]}"),
        ("edge_node: nominal,l4", "defaults:\n  - override /regime: balanced\n  - override /model: opt_13b"),
        ("quantization: w8a16_gptq,w4a16_gptq", "speedup: {w4: 3}"),
        ("workload: paper", "workload: {payload_bits: 8}"),
        ("radio: paper,macro_cell", "radio: {bits_per_token: 20}"),
        ("scheduler: dftsp,brute_force", "scheduler: {options: {pruning: [supply]}}"),
    ],
)
def test_the_shortcut_past_hydra_knows_what_reaches_across_files(conf, sweep, override):
    text = GOOD.replace("model: bloom_3b,bloom_7b1", sweep).replace("  lines: model\n", "")
    for point in _expand(conf, text.replace("simulation: {epochs: 1, seeds: 2}", override)).points:
        assert setting_of(compose_config(conf, _overrides("mine", point.axes))).id() == point.id, point.axes
