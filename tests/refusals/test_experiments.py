"""An experiment file that cannot be used: what is spoilt, and the line that answers it before anything is made."""

import os
import shutil
from pathlib import Path

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.runs.folder_lock import hold_folder
from edgebatch_artifact.runs.plan import Options, make_plan
from tests.edgebatch_artifact.spoilt import GOOD
from tests.refusals.refused import contents, one_line, says

SWEPT, FIGURE = "hydra.sweeper.params", "figure"
RATE, MODELS = "workload.arrival_rate: 10,20", "model: bloom_3b,bloom_7b1"
WITH = "simulation: {epochs: 1, seeds: 2}"
ALIKE = "...Hydra's sweeper grammar"

SPOILT = [
    # what stands there, what stands there instead, the key and the rest of the answer
    (RATE, "workload.arival_rate: 10,20", f"{SWEPT}.workload.arival_rate: found an unknown key, expected one of ... (did you mean workload.arrival_rate?)"),
    (RATE, "worklod.arrival_rate: 10,20", f"{SWEPT}.worklod.arrival_rate: found an unknown key, expected one of ..."),
    (RATE, "workload.arrival_rate: 10,-20", "workload.arrival_rate: found -20.0, expected a number above 0"),
    (RATE, "workload.arrival_rate: 10,nan", "workload.arrival_rate: found nan, expected a number above 0"),
    (RATE, "workload.arrival_rate: 10,twenty", "workload.arrival_rate: found 'twenty', expected a number above 0"),
    (RATE, "workload.arrival_rate: true,false", "workload.arrival_rate: found true, expected a number above 0"),
    (RATE, "workload.arrival_rate: [10, 20]", f"{SWEPT}.workload.arrival_rate: found a list of 2, expected values in one line, such as \"1,2,3\""),
    (RATE, "workload.arrival_rate: {from: 10, to: 20}", f"{SWEPT}.workload.arrival_rate: found a mapping with from, to, expected values in one line, such as \"1,2,3\""),
    (RATE, "workload.arrival_rate:", f"{SWEPT}.workload.arrival_rate: found nothing, expected values in one line, such as \"1,2,3\""),
    (RATE, "workload.arrival_rate: ''", f"{SWEPT}.workload.arrival_rate: found an empty sweep, expected at least one value"),
    (RATE, "workload.arrival_rate: range(20,10)", f"{SWEPT}.workload.arrival_rate: found an empty sweep, expected at least one value"),
    (RATE, "workload.arrival_rate: range(10,20,0)", f"{SWEPT}.workload.arrival_rate: found a range without end, expected range(start,stop,step)"),
    (RATE, "workload.arrival_rate: range(10,inf)", f"{SWEPT}.workload.arrival_rate: found a range without end, expected range(start,stop,step)"),
    (RATE, "workload.arrival_rate: range(10", f"{SWEPT}.workload.arrival_rate: found 'range(10' ..., expected values in Hydra's sweeper grammar"),
    (RATE, "workload.arrival_rate: 10;20", f"{SWEPT}.workload.arrival_rate: found '10;20' ..., expected values in Hydra's sweeper grammar"),
    (RATE, "workload.arrival_rate: '10,[20'", f"{SWEPT}.workload.arrival_rate: found '10,[20' ..., expected values in Hydra's sweeper grammar"),
    (RATE, "workload.arrival_rate: interval(10,20)", f"{SWEPT}.workload.arrival_rate: found a pattern or an interval, expected the values, one by one"),
    (RATE, "workload.arrival_rate: shuffle(10,20)", f"{SWEPT}.workload.arrival_rate: found a shuffled sweep, expected values in an order that stays"),
    (RATE, "+workload.arrival_rate: 10,20", f"{SWEPT}.+workload.arrival_rate: ..., expected values in Hydra's sweeper grammar"),
    (MODELS, "model: glob(bloom*)", f"{SWEPT}.model: found a pattern or an interval, expected the values, one by one"),
    (MODELS, "model: bloom_3b,bloom_7b", f"{SWEPT}.model: found 'bloom_7b', expected one of ... (did you mean bloom_7b1?)"),
    (MODELS, "model: bloom_3b,7", f"{SWEPT}.model: found 7, expected one of ..."),
    (MODELS, "modle: bloom_3b,bloom_7b1", f"{SWEPT}.modle: found an unknown key, expected one of ... (did you mean model?)"),
    (MODELS, "scale: full,smoke", f"{SWEPT}.scale: found a sweep, expected no scale: it is chosen for all experiments, snakemake --config scale=smoke"),
    (MODELS, "scheduler: dftsp,dfstp", f"{SWEPT}.scheduler: found 'dfstp', expected one of ... (did you mean dftsp?)"),
    (MODELS, "quantization: w8a16_gptq,w8a16_gtpq", f"{SWEPT}.quantization: found 'w8a16_gtpq', expected one of ... (did you mean w8a16_gptq?)"),
    ("params:", "parameters:", f"{SWEPT}: found an empty sweep, expected a mapping from keys to values"),
    ("hydra:", "hydr:", f"{SWEPT}: found an empty sweep, expected a mapping from keys to values"),
    (f"      {MODELS}\n      {RATE}\n", "", f"{SWEPT}: found an empty sweep, expected a mapping from keys to values"),
    ("# @package _global_\n", "", "line 1: found no package, expected # @package _global_"),
    ("# @package", "\ufeff# @package", "line 1: found no package, expected # @package _global_"),
    (WITH, "simulation: {epoch: 1, seeds: 2}", "simulation.epoch: found an unknown key, expected one of epochs, seeds (did you mean epochs?)"),
    (WITH, "simulation: {epochs: 0, seeds: 2}", "simulation.epochs: found 0, expected a whole number at least 1 and at most 1e+09"),
    (WITH, "simulations: {epochs: 1, seeds: 2}", "simulations: found an unknown key, expected one of ... (did you mean simulation?)"),
    (WITH, "slots: {uplink_s: '${slots.uplink}'}", "slots.uplink_s: found ${slots.uplink}, expected one of ... (did you mean slots.uplink_s?)"),
    (WITH, "defaults:\n  - override /regime: balancd\n", "defaults: found 'regime/balancd', expected one of ... (did you mean regime/balanced?)"),
    (WITH, "defaults:\n  - overide /regime: balanced\n", "..."),
    (WITH, "sample: {draws: 0, seed: 1}", "sample.draws: found 0, expected a whole number at least 1 and at most 1e+09"),
    (WITH, "sample: {draws: 4}", "sample.seed: found nothing, expected a whole number at least 0 and at most 1e+09"),
    ("  title: Load", "  titel: Load", f"{FIGURE}.titel: found an unknown key, expected one of ... (did you mean title?)"),
    ("  title: Load\n", "", f"{FIGURE}.title: found nothing, expected a value for title"),
    ("  title: Load", "  title: 7", f"{FIGURE}.title: found 7, expected a text"),
    ("figure:", "figur:", f"{FIGURE}: found nothing, expected a mapping with title, caption, draw, ..."),
    ("draw: lines", "draw: pie", f"{FIGURE}.draw: found 'pie', expected one of bars, claims, lines"),
    ("draw: lines", "draw: line", f"{FIGURE}.draw: found 'line', expected one of bars, claims, lines (did you mean lines?)"),
    ("  x: {key", "  z: {key", f"{FIGURE}.z: found an unknown key, expected one of ..."),
    ("  x: {key: workload.arrival_rate, label: Arrival rate (requests/s)}\n", "", f"{FIGURE}.x: found nothing, expected an axis with key and label, to draw lines over"),
    ("x: {key: workload.arrival_rate", "x: {key: workload.rate", f"{FIGURE}.x.key: found 'workload.rate', expected a swept key, one of model, workload.arrival_rate..."),
    ("(requests/s)}\n  y", "(requests/s), scale: linaer}\n  y", f"{FIGURE}.x.scale: found 'linaer', expected one of linear, log (did you mean linear?)"),
    ("{throughput_per_s: ", "{throughput: ", f"{FIGURE}.y.columns.throughput: found an unknown column, expected one of ... (did you mean throughput_per_s?)"),
    ("{throughput_per_s: ", "{gap: ", f"{FIGURE}.y.columns.gap: found an unknown column, expected one of ..."),
    ("{throughput_per_s: Throughput}", "{}", f"{FIGURE}.y.columns: found no column, expected one of ..."),
    ("{throughput_per_s: Throughput}", "throughput_per_s", f"{FIGURE}.y.columns: found 'throughput_per_s', expected a mapping"),
    ("(requests/s)}\n  lines", "(requests/s), relative_to: dftsp}\n  lines", f"{FIGURE}.y.relative_to: found 'dftsp', expected a swept scheduler, ..."),
    ("lines: model", "lines: modl", f"{FIGURE}.lines: found 'modl', expected a swept key, one of model, workload.arrival_rate (did you mean model?)"),
    ("lines: model", "panels: regime", f"{FIGURE}.panels: found 'regime', expected a swept key, one of model, workload.arrival_rate"),
    ("lines: model", "panel_label: Rate {rate}", f"{FIGURE}.panel_label: found 'Rate {{rate}}', expected a text with {{}} for the value"),
    ("lines: model", "line_label: Rate {", f"{FIGURE}.line_label: found 'Rate {{', expected a text with {{}} for the value"),
    ("lines: model", "panel_label: Rate {", f"{FIGURE}.panel_label: found 'Rate {{', expected a text with {{}} for the value"),
    ("lines: model", "where: {scheduler: dftsp}", f"{FIGURE}.where.scheduler: found 'scheduler', expected a swept key, one of model, workload.arrival_rate"),
    ("lines: model", "where: {model: opt_13b}", f"{FIGURE}.where.model: found 'opt_13b', expected a swept value, one of bloom_3b, bloom_7b1"),
    ("lines: model", "where: {workload.arrival_rate: 30}", f"{FIGURE}.where.workload.arrival_rate: found 30, expected a swept value, one of 10, 20"),
    ("draw: lines", "draw: [lines", "line 14: found expected ',' or ']', but got ':', expected YAML"),
    ("  draw: lines", "\tdraw: lines", "line 13: found character '\\t' that cannot start any token, expected YAML"),
    ("  draw: lines", "  draw: lines\n  draw: bars", "line 14: found duplicate key draw, expected YAML"),
]  # fmt: skip


def _refusal(folder):
    """The one line that refuses the folder's configuration; nothing is made before."""
    before = contents(folder)
    with pytest.raises(InputError) as refused:
        make_plan(Path("conf"), Path("results"), Options("full"))
    assert contents(folder) == before
    return one_line(str(refused.value))


@pytest.mark.parametrize(("old", "new", "answer"), SPOILT, ids=[row[1][:40] or row[0][:40] for row in SPOILT])
def test_an_experiment_that_cannot_be_used_is_refused_with_file_and_key(folder, old, new, answer):
    assert old in GOOD
    (folder / "conf/experiment/mine.yaml").write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    line = _refusal(folder)
    assert says(line, f"conf/experiment/mine.yaml: {answer}"), line


ASSUMED = [
    # what stands in conf/assumptions.yaml, what stands there instead, the answer
    ("key: slots.uplink_s", "key: slots.uplink", "slots.uplink: found an unknown key, expected a key of the composed configuration"),
    ("range: [0.15, 0.4]", "range: [0.3, 0.4]", "slots.uplink_s.range: found [0.3, 0.4], expected two bounds around 0.25"),
    ("range: [0.15, 0.4]", "range: [0.4, 0.15]", "slots.uplink_s.range: found [0.4, 0.15], expected two bounds around 0.25"),
    ("range: [0.15, 0.4]", "range: [0.15, .inf]", "slots.uplink_s.range: found [0.15, inf], expected two bounds around 0.25"),
    ("range: [0.15, 0.4]", "range: [0.15]", "slots.uplink_s.range: found [0.15], expected two bounds around 0.25"),
    ("range: [0.15, 0.4], ", "", "slots.uplink_s: found no range, expected range or choices, to draw it from"),
    ("range: [0.15, 0.4]", "range: [0, 0.4], scale: log", "slots.uplink_s.range: found [0.0, 0.4], expected bounds above 0, for a scale that is log"),
    ("choices: [batch_max, fixed]", "range: [0, 1]", "padding.to.range: found [0.0, 1.0], expected choices, as the value is 'batch_max'"),
    ("choices: [batch_max, fixed]", "choices: [fixed]", "padding.to.choices: found ['fixed'], expected choices with batch_max"),
    ("range: [10, 40], scale: whole", "range: [10, 40.5], scale: whole", "edge_node.devices.range: found [10.0, 40.5], expected whole numbers, for a scale that is whole"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "answer"), ASSUMED, ids=[row[2][:60] for row in ASSUMED])
def test_an_assumption_that_cannot_be_drawn_is_refused_with_its_key(folder, old, new, answer):
    sampled = GOOD.replace("simulation:", "sample: {draws: 2, seed: 1}\nsimulation:")
    (folder / "conf/experiment/mine.yaml").write_text(sampled)
    path = folder / "conf/assumptions.yaml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    assert _refusal(folder) == f"conf/assumptions.yaml: {answer}"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("mine.yml", "conf/experiment/mine.yml: found a file that ends in .yml, expected the ending .yaml"),
        ("my load.yaml", "conf/experiment/my load.yaml: found the name 'my load', expected a name of letters, ..."),
        ("load+.yaml", "conf/experiment/load+.yaml: found the name 'load+', expected a name of letters, ..."),
        ("claims.yaml", "conf/experiment/claims.yaml: found the name 'claims', expected a name that no table ..."),
        ("mine.txt", "conf/experiment: found no experiment, expected a file NAME.yaml"),
    ],
)  # fmt: skip
def test_an_experiment_with_a_name_that_cannot_be_used_is_refused(folder, name, answer):
    (folder / "conf/experiment" / name).write_text(GOOD)
    line = _refusal(folder)
    assert says(line, answer), line


def _link(path):
    path.symlink_to("nowhere")


@pytest.mark.parametrize(("how", "found"), [(os.mkdir, "is a directory"), (_link, "a broken link")])
def test_an_experiment_that_cannot_be_read_is_refused_by_name(folder, how, found):
    how(folder / "conf/experiment/mine.yaml")
    assert _refusal(folder) == f"conf/experiment/mine.yaml: found {found}, expected a readable file"


def test_results_that_are_no_folder_are_refused_by_name(folder):
    (folder / "results").write_text("a file")
    with pytest.raises(InputError) as refused:
        hold_folder(Path("results"))
    found = "found results, a file in place of a folder"
    assert str(refused.value) == f"results/run.lock: {found}, expected a file that can be written"


def test_results_that_are_a_broken_link_are_refused_by_name(folder):
    (folder / "results").symlink_to("nowhere")
    with pytest.raises(InputError) as refused:
        hold_folder(Path("results"))
    found = "found results, a broken link in place of a folder"
    assert str(refused.value) == f"results/run.lock: {found}, expected a file that can be written"


def test_no_configuration_at_all_is_refused(folder):
    shutil.rmtree(folder / "conf")
    assert _refusal(folder) == "conf/experiment: found no experiment, expected a file NAME.yaml"
