"""Any experiment file is read, counted and expanded, or refused in one line."""

import random

import pytest
import yaml

from edgebatch_artifact.settings.experiments.expand import expand_experiments, experiment_size
from edgebatch_artifact.settings.experiments.experiment_file import read_experiment_file
from edgebatch_artifact.settings.experiments.sweep import sweep
from tests.edgebatch_artifact.spoilt import GOOD
from tests.fuzz.answers import answered
from tests.fuzz.mutations import mutated_text, mutated_tree
from tests.workflow.checkout import ROOT, copy_conf

HEAD = "# @package _global_\n"
WHERE = "conf/experiment/mine.yaml"
MOST_EXPANDED = 64


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    conf = tmp_path_factory.mktemp("fuzz") / "conf"
    copy_conf(conf)
    (conf / "experiment").mkdir()
    return conf


GOODS = [
    GOOD,
    *(path.read_text(encoding="utf-8") for path in sorted((ROOT / "conf/experiment").glob("*.yaml"))),
]
TREES = [yaml.safe_load(text) for text in GOODS]


def _write(conf, rng):
    """Write a mutated experiment: its tree, its text, or both."""
    number = rng.randrange(len(GOODS)) if rng.random() < 0.3 else 0
    text, how = GOODS[number], rng.random()
    if how < 0.7:
        text = HEAD + yaml.safe_dump(mutated_tree(TREES[number], rng), sort_keys=False)
    if how > 0.5:
        text = mutated_text(text, rng)
    (conf / "experiment/mine.yaml").write_bytes(text.encode(errors="surrogatepass"))


def _small(conf):
    """The experiment at hand, expanded if that is no long work; the size of its sweep."""
    file = read_experiment_file(conf, "mine")
    size = experiment_size(file)
    if size <= MOST_EXPANDED:
        axes = sweep(file.sweep, file.where)
        assert all(axes.values())
    return size


def test_a_mutated_experiment_is_read_or_refused_in_one_line(each, conf):
    def read(seed):
        _write(conf, random.Random(seed))
        with answered(f"{WHERE}: "):
            assert _small(conf) >= 1

    each(read, share=0.1)


def test_a_mutated_experiment_is_expanded_or_refused_in_one_line(each, conf):
    def expand(seed):
        _write(conf, random.Random(seed))
        with answered("conf/"):
            if _small(conf) <= MOST_EXPANDED:
                assert expand_experiments(conf, "smoke", ["mine"])["mine"].points

    each(expand, share=0.005)
