"""Experiments composed from what Hydra remembers are those that Hydra composes."""

import shutil

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.settings import composer as module
from edgebatch_artifact.settings.compose import compose_config, groups
from edgebatch_artifact.settings.composer import composer
from edgebatch_artifact.settings.experiment_file import read_experiment
from tests.edgebatch_artifact.spoilt import GOOD
from tests.workflow.checkout import ROOT

CONF = ROOT / "conf"


@pytest.fixture
def conf(tmp_path):
    """A copy of the configuration with one experiment, mine.yaml, to be written."""
    shutil.copytree(CONF, tmp_path / "conf")
    (tmp_path / "conf/experiment/mine.yaml").write_text(GOOD)
    return tmp_path / "conf"


@pytest.mark.parametrize("chosen", [("scale=full",), ("scale=smoke", "regime=balanced")])
def test_every_experiment_is_what_hydra_composes(chosen):
    compose = composer(CONF)
    for name in groups(CONF)["experiment"]:
        found = compose(read_experiment(CONF, name), chosen)
        composed = compose_config(CONF, [f"+experiment={name}", *chosen])
        assert found.data == composed.data, name
        assert found.choices == composed.choices
        assert found.origins == composed.origins


def test_experiments_with_the_same_files_ask_hydra_once(conf, monkeypatch):
    asked = []
    real = module.compose_with_hydra
    monkeypatch.setattr(module, "compose_with_hydra", lambda *rest: asked.append(rest) or real(*rest))
    compose = composer(conf)
    for name in ("mine", "robustness", "complexity"):
        compose(read_experiment(conf, name), ("scale=full",))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("simulation: {epochs: 1, seeds: 2}", "speedup: {w8: '${speedup.w4}', w4: 3.5}"),
        ("simulation: {epochs: 1, seeds: 2}", "quantization: {speedup: 3}"),
        ("simulation: {epochs: 1, seeds: 2}", "workload: {prompt_tokens: [7]}"),
        ("simulation: {epochs: 1, seeds: 2}", "simulation: {epochs: 1}\nmodel: {layers: null}"),
        ("simulation: {epochs: 1, seeds: 2}", "cost: {other: 1}\nmore: 2"),
        ("hydra:", "defaults:\n  - override /regime: balanced\n  - override /model: opt_13b\n\nhydra:"),
    ],
)
def test_whatever_an_experiment_overrides_it_is_what_hydra_composes(conf, old, new):
    assert old in GOOD
    (conf / "experiment/mine.yaml").write_text(GOOD.replace(old, new))
    found = composer(conf)(read_experiment(conf, "mine"), ("scale=full",))
    composed = compose_config(conf, ["+experiment=mine", "scale=full"])
    assert found.data == composed.data
    assert found.choices == composed.choices
    assert list(found.origins) == list(composed.origins)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  sweeper:\n", "  sweepers: 1\n  sweeper:\n"),
        ("simulation: {epochs: 1, seeds: 2}", "speedup: {w8: '${speedup.w5}'}"),
        ("simulation: {epochs: 1, seeds: 2}", "simulation: {epochs: '${nothing}'}"),
    ],
)
def test_what_hydra_refuses_is_refused(conf, old, new):
    (conf / "experiment/mine.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(InputError) as by_hydra:
        compose_config(conf, ["+experiment=mine", "scale=full"], "conf/experiment/mine.yaml")
    with pytest.raises(InputError) as refused:
        composer(conf)(read_experiment(conf, "mine"), ("scale=full",))
    assert str(refused.value) == str(by_hydra.value)
