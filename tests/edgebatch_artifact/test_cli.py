import json

import pytest

from edgebatch.metrics import METRICS
from edgebatch_artifact.cli import main
from tests.workflow.checkout import ROOT

CONF = ("--conf", str(ROOT / "conf"))
SMALL = ("simulation.epochs=2", "simulation.seeds=3", "workload.arrival_rate=20")


def _said(capsys, *arguments):
    assert main(["simulate", *CONF, *arguments]) == 0
    return capsys.readouterr().out


def test_simulate_prints_every_metric_with_an_interval(capsys):
    lines = _said(capsys, *SMALL, "model=bloom_7b1").splitlines()
    assert lines[0].startswith("setting ")
    assert "model=bloom_7b1" in lines[0]
    assert [line.split()[0] for line in lines[1:-1]] == list(METRICS)
    assert all(" ± " in line for line in lines[1:-1])
    assert "3 seeds of 2 epochs" in lines[-1]


def test_simulate_prints_one_seed_without_interval(capsys):
    assert "±" not in _said(capsys, *SMALL, "simulation.seeds=1")


def test_simulate_prints_json_with_the_setting_and_a_replicate_for_each_seed(capsys):
    result = json.loads(_said(capsys, *SMALL, "--json"))
    assert [set(replicate) for replicate in result["replicates"]] == [{"seed", *METRICS}] * 3
    assert result["setting"]["workload"]["arrival_rate"] == 20
    assert result["id"] in _said(capsys, *SMALL)


def test_the_table_shows_the_mean_of_the_json(capsys):
    seeds = json.loads(_said(capsys, *SMALL, "--json"))["replicates"]
    mean = sum(seed["offered_per_s"] for seed in seeds) / len(seeds)
    line = next(line for line in _said(capsys, *SMALL).splitlines() if line.startswith("offered_per_s"))
    assert float(line.split()[1]) == pytest.approx(mean, rel=1e-4)


@pytest.mark.parametrize("command", ["simulate", "verify", "archive"])
def test_every_command_has_help(capsys, command):
    assert main([command, "--help"]) == 0
    assert "usage: artifact" in capsys.readouterr().out


def test_the_help_of_simulate_has_examples_that_work(capsys):
    assert main(["simulate", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    examples = [line.split() for line in lines if line.startswith("  artifact simulate ")]
    assert examples
    for example in examples:
        assert main(["simulate", *CONF, *example[2:], "simulation.epochs=1", "simulation.seeds=2"]) == 0
