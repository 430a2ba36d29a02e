import itertools
import json
import random
import shutil

import numpy as np
import pytest

from edgebatch.errors import InputError
from edgebatch.setting import identity, read_setting
from edgebatch_artifact.settings.assumptions import draw_assumptions, read_assumptions
from edgebatch_artifact.settings.compose import compose_config, groups, setting
from edgebatch_artifact.settings.expand import compile_grid
from edgebatch_artifact.settings.experiment_file import read_experiment
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"
GROUPS = groups(CONF)


@pytest.fixture(scope="module")
def full():
    return compile_grid(CONF, "full")


@pytest.fixture(scope="module")
def smoke():
    return compile_grid(CONF, "smoke")


@pytest.fixture
def conf(tmp_path):
    """A copy of the configuration with one experiment, mine.yaml, to be written."""
    shutil.copytree(CONF, tmp_path / "conf")
    for path in (tmp_path / "conf/experiment").glob("*.yaml"):
        path.unlink()
    return tmp_path / "conf"


def _compile(conf, text):
    (conf / "experiment/mine.yaml").write_text(text, encoding="utf-8")
    return compile_grid(conf, "full")


def _overrides(experiment, axes, scale="full"):
    """The Hydra overrides that stand for one point."""
    return [f"+experiment={experiment}", f"scale={scale}", *(f"{key}={value}" for key, value in axes.items())]


def _sample(grid):
    """A point of each experiment without draws, and one of some regimes of each that sweeps regimes."""
    rng = random.Random(2405)
    for name, experiment in sorted(grid.experiments.items()):
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
        assert setting(composed).id() == point.id, (name, point.axes)


def test_a_drawn_point_has_the_setting_that_hydra_composes_from_its_overrides(full):
    file = read_experiment(CONF, "robustness")
    nominal = compose_config(CONF, ["+experiment=robustness"])
    draws = draw_assumptions(read_assumptions(CONF, nominal), file.draws, file.draw_seed)
    points = [p for p in full.experiments["robustness"].points if p.axes["scheduler"] == "dftsp"]
    assert len(points) == file.draws
    for point in points[:: file.draws // 3]:
        values = draws[point.axes["draw"]]
        composed = compose_config(CONF, _overrides("robustness", {"scheduler": "dftsp"} | values))
        assert setting(composed).id() == point.id


def test_a_file_that_a_regime_overrides_is_composed_under_the_regime(conf):
    text = GOOD.replace("model: bloom_3b,bloom_7b1", "regime: paper,balanced\n      edge_node: nominal,l4")
    grid = _compile(conf, text.replace("lines: model", "lines: regime"))
    for point in grid.experiments["mine"].points:
        assert setting(compose_config(conf, _overrides("mine", point.axes))).id() == point.id, point.axes


def test_every_point_of_a_sweep_is_there_once(full):
    axes = [point.axes for point in full.experiments["throughput_vs_arrival_rate"].points]
    models, schedulers = ("bloom_3b", "bloom_7b1", "opt_13b"), ("dftsp", "static_batching", "no_batching")
    rates = (10, 25, 50, 100, 150, 200, 250)
    expected = set(itertools.product(models, schedulers, rates))
    assert {(a["model"], a["scheduler"], a["workload.arrival_rate"]) for a in axes} == expected
    assert len(axes) == len(expected)


def test_settings_are_stored_under_their_content_and_can_be_read_back(full):
    needed = {point.id for experiment in full.experiments.values() for point in experiment.points}
    assert needed == set(full.settings)
    for id_, content in list(full.settings.items())[::40]:
        assert read_setting(json.loads(json.dumps(content)), "file").id() == id_ == identity(content)


def test_the_id_of_a_setting_does_not_depend_on_the_order_of_keys(full):
    def turned(node):
        return {k: turned(v) for k, v in reversed(node.items())} if isinstance(node, dict) else node

    content = next(iter(full.settings.values()))
    assert list(turned(content)) != list(content)
    assert identity(turned(content)) == identity(content)


def test_labels_colours_and_titles_do_not_change_ids(conf):
    before = _compile(conf, GOOD)
    model = conf / "model/bloom_3b.yaml"
    model.write_text(model.read_text().replace("label: BLOOM-3B", "label: Bloom"))
    after = _compile(
        conf, GOOD.replace("title: Load", "title: Other").replace("Throughput against", "T over")
    )
    assert set(after.settings) == set(before.settings)
    assert after.experiments["mine"].labels["model"]["bloom_3b"]["label"] == "Bloom"


def test_a_smoke_grid_keeps_the_ends_of_each_axis_and_every_line(smoke):
    def values(experiment, key):
        return {point.axes[key] for point in smoke.experiments[experiment].points}

    assert values("throughput_vs_arrival_rate", "workload.arrival_rate") == {10, 250}
    assert values("throughput_vs_arrival_rate", "model") == {"bloom_3b", "opt_13b"}
    assert values("throughput_vs_arrival_rate", "scheduler") == {"dftsp", "static_batching", "no_batching"}
    assert len(values("throughput_vs_accuracy", "quantization")) == 5
    assert values("complexity", "regime") == {"paper", "balanced"}
    assert values("robustness", "draw") == {0, 1, 2, 3}


def test_every_experiment_has_points_at_both_scales(full, smoke):
    assert list(full.experiments) == list(smoke.experiments) == list(GROUPS["experiment"])
    assert all(e.points for grid in (full, smoke) for e in grid.experiments.values())


@pytest.fixture(scope="module")
def assumptions():
    return read_assumptions(CONF, compose_config(CONF, []))


def test_draws_stay_within_their_ranges_one_in_each_stratum(assumptions):
    number = 16
    draws = draw_assumptions(assumptions, number, seed=3)
    assert len(draws) == number
    drawn = [a.assumption for a in assumptions if a.assumption.range or a.assumption.choices]
    assert all(list(draw) == [entry.key for entry in drawn] for draw in draws)
    for entry in drawn:
        values = np.array([draw[entry.key] for draw in draws])
        if entry.choices:
            assert np.unique(values, return_counts=True)[1].tolist() == [number // 2] * 2
            continue
        low, high = entry.range
        assert low <= values.min()
        assert values.max() <= high
        if entry.scale == "whole":
            assert values.dtype.kind == "i"
            continue
        share = (
            np.log(values / low) / np.log(high / low)
            if entry.scale == "log"
            else (values - low) / (high - low)
        )
        assert sorted((share * number).astype(int)) == list(range(number)), entry.key


def test_draws_depend_on_the_seed_alone(assumptions):
    assert draw_assumptions(assumptions, 4, 1) == draw_assumptions(assumptions, 4, 1)
    assert draw_assumptions(assumptions, 4, 1) != draw_assumptions(assumptions, 4, 2)


def test_every_recalled_or_chosen_assumption_is_drawn(assumptions):
    for valued in assumptions:
        drawn = bool(valued.assumption.range or valued.assumption.choices)
        assert drawn == (valued.assumption.certainty in ("recalled", "chosen")), valued.assumption.key


def test_a_gap_over_several_epochs_is_refused(conf):
    # what one scheduler leaves behind, another has served: their later epochs have other candidates
    text = GOOD.replace("model: bloom_3b,bloom_7b1", "scheduler: dftsp,static_batching")
    text = text.replace("lines: model", "lines: scheduler")
    text = text.replace("(requests/s)}\n  lines", "(requests/s), relative_to: dftsp}\n  lines")
    assert _compile(conf, text).experiments["mine"].points
    with pytest.raises(
        InputError, match=r"^conf/experiment/mine.yaml: simulation.epochs: found 2, expected 1"
    ):
        _compile(conf, text.replace("epochs: 1", "epochs: 2"))


@pytest.mark.parametrize(
    ("sweep", "override"),
    [
        ("speedup.w8: 1,2", "simulation: {epochs: 1}"),
        ("quantization: w8a16_gptq,w4a16_gptq", "speedup: {w4: 3}"),
        ("workload: paper", "workload: {payload_bits: 8}"),
        ("radio: paper,macro_cell", "radio: {bits_per_token: 20}"),
        ("scheduler: dftsp,brute_force", "scheduler: {options: {pruning: [supply]}}"),
    ],
)
def test_the_shortcut_past_hydra_knows_what_reaches_across_files(conf, sweep, override):
    text = GOOD.replace("model: bloom_3b,bloom_7b1", sweep).replace("  lines: model\n", "")
    grid = _compile(conf, text.replace("simulation: {epochs: 1, seeds: 2}", override))
    for point in grid.experiments["mine"].points:
        assert setting(compose_config(conf, _overrides("mine", point.axes))).id() == point.id, point.axes
