"""An override that cannot be used: what is typed after `artifact simulate`, and the line that answers it."""

import pytest

from edgebatch_artifact.cli import main
from tests.refusals.refused import refusal, says
from tests.workflow.checkout import ROOT

RATE = "workload.arrival_rate"
LIMIT = "expected null for no limit, or a number above 0 and at most 1e+09"
ONE = "expected one value (sweeps are files of conf/experiment/)"

REFUSED = [
    # what is typed, the answer
    ("model=bloom3b", "model: found 'bloom3b', expected one of ... (did you mean bloom_3b?)"),
    ("modle=bloom_3b", "modle: found an unknown key, expected one of ... (did you mean model?)"),
    ("model=", "model: found '', expected one of bert_large, ..."),
    ("model=bloom_3b,opt_13b", f"model: found 'bloom_3b,opt_13b', {ONE}"),
    ("model=../model/bloom_3b", "model: found '../model/bloom_3b', expected one of ..."),
    ("+model=opt_13b", "found Multiple values for model..., expected what Hydra can compose"),
    ("scheduler=dfstp", "scheduler: found 'dfstp', expected one of ... (did you mean dftsp?)"),
    ("regime=balancd", "regime: found 'balancd', expected one of ... (did you mean balanced?)"),
    ("scale=smok", "scale: found 'smok', expected one of full, smoke (did you mean smoke?)"),
    ("experiment=regimes", "experiment: found 'regimes', expected one setting (snakemake ...)"),
    ("+experiment=regimes", "experiment: found 'regimes', expected one setting (snakemake ...)"),
    (f"{RATE}=fast", f"{RATE}: found 'fast', expected a number above 0"),
    (f"{RATE}=0", f"{RATE}: found 0.0, expected a number above 0"),
    (f"{RATE}=nan", f"{RATE}: found nan, expected a number above 0"),
    (f"{RATE}=1e400", f"{RATE}: found inf, expected a number above 0"),
    (f"{RATE}=1{'0' * 5000}", "found Exceeds the limit ..., expected what Hydra can compose"),
    (f"{RATE}=true", f"{RATE}: found true, expected a number above 0"),
    (f"{RATE}=[1", "found no viable alternative at input ..., expected what Hydra can compose"),
    (f"{RATE}=1,2", f"{RATE}: found '1,2', {ONE}"),
    (f"{RATE}=range(1,3)", f"{RATE}: found 'range(1,3)', {ONE}"),
    (f"{RATE}=${{nothing}}", f"{RATE}: found ${{nothing}}, expected one of accuracy_map, ..."),
    (f"{RATE}=3\n", "found no override: ..., expected what Hydra can compose"),
    (f"{RATE}", f"{RATE}: found no value, expected key=value"),
    ("workload.arival_rate=3", f"workload.arival_rate: found an unknown key, expected one of ... (did you mean {RATE}?)"),
    ("+workload.new=3", "workload.new: found an unknown key, expected one of accuracy, ..."),
    ("+new.key=3", "new: found an unknown key, expected one of accuracy_map, ..."),
    ("workload..arrival_rate=1", "found no override: ..., expected what Hydra can compose"),
    ("=5", "=5: found no key, expected key=value"),
    ("", "found no key, expected key=value"),
    ("~workload", "~workload: found no value, expected key=value"),
    ("workload.latency.mean_s.x=3", "workload.latency.mean_s.x: found an unknown key, expected ..."),
    (f"workload.prompt_tokens={'[' * 200}{']' * 200}", "..."),
    ("simulation.seeds=1.5", "simulation.seeds: found 1.5, expected a whole number at least 1 and at most 1e+09"),
    ("edge_node.efficiencies.layer_s=-1", "edge_node.efficiencies.layer_s: found -1.0, expected a number at least 0"),
    ("padding.to=fixd", "padding.to: found 'fixd', expected one of batch_max, fixed (did you mean fixed?)"),
    ("padding.to=fixed padding.fixed_tokens=100", "padding.fixed_tokens: found 100, expected at least 512"),
    ("most_settings=lots", "most_settings: found 'lots', expected a whole number at least 1 and at most 1e+09"),
    ("scheduler=milp scheduler.options.time_limit_s=-1", f"scheduler.options.time_limit_s: found -1, {LIMIT}"),
    ("scheduler=milp scheduler.options.time_limit_s=long", f"scheduler.options.time_limit_s: found 'long', {LIMIT}"),
    ("scheduler=surrogate scheduler.options.time_limit_s=0", f"scheduler.options.time_limit_s: found 0, {LIMIT}"),
    ("scheduler=surrogate scheduler.options.node_limit=true", "scheduler.options.node_limit: found true, expected null for no limit, or ..."),
    ("scheduler=milp scheduler.options.deadlines=all", "scheduler.options.deadlines: found 'all', expected one of big_m, thresholds"),
    ("scheduler=cp_sat scheduler.options.workers=0", "scheduler.options.workers: found 0, expected a whole number at least 1 and at most 1024"),
    ("scheduler=static_batching scheduler.options.batch_size=0", "scheduler.options.batch_size: found 0, expected auto or a whole number at least 1"),
    ("scheduler=no_batching scheduler.options.admission=blnd", "scheduler.options.admission: found 'blnd', expected one of blind, deadline_aware (did you mean blind?)"),
    ("scheduler.options.pruning=null", "scheduler.options.pruning: found nothing, expected a list of rules, one of ..."),
    ("+scheduler.options.time_limit_s=3", "scheduler.options.time_limit_s: found an unknown option, expected one of node_limit, pruning..."),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "answer"), REFUSED, ids=[row[0][:60] for row in REFUSED])
def test_an_override_that_cannot_be_used_is_refused_with_its_key(
    capsys, tmp_path, monkeypatch, typed, answer
):
    monkeypatch.chdir(tmp_path)
    words = typed.split(" ") if (" " in typed and "scheduler=" in typed) or "padding" in typed else [typed]
    line = refusal(capsys, tmp_path, lambda: main(["simulate", "--conf", str(ROOT / "conf"), *words]))
    assert says(line, f"artifact: command line: {answer}"), line
