"""The command `edgebatch solve` on edgebatch-network/1, its format, and its documentation."""

import json
import shlex

import pytest

from edgebatch.io.cli import main
from edgebatch.io.network_format import network_answer, network_table, parse_network
from edgebatch.network import methods, solve_network
from tests.workflow.checkout import ROOT, example

GOOD = (ROOT / "docs/network.json").read_text(encoding="utf-8")


def test_the_example_of_the_documentation_runs_and_has_every_documented_key(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *words = shlex.split(example("docs/network-format.md", "sh", "edgebatch solve"))
    assert (program, main(words)) == ("edgebatch", 0)
    answer = json.loads(capsys.readouterr().out)
    page = (ROOT / "docs/network-format.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in page for key in answer)
    assert all(f"`{name}`" in page for name in methods.names())


@pytest.mark.parametrize("method", methods.names())
def test_every_method_answers_and_its_answer_adds_up(capsys, method):
    assert main(["solve", str(ROOT / "docs/network.json"), "--method", method]) == 0
    answer = json.loads(capsys.readouterr().out)
    weights = {request["id"]: request.get("weight", 1) for request in json.loads(GOOD)["requests"]}
    served = [name for names in answer["assigned"].values() for name in names]
    assert len(served) == len(set(served)) == answer["size"]
    assert sum(weights[name] for name in served) == answer["weight"] <= answer["upper_bound"]
    for node, names in answer["assigned"].items():
        shares = [r["uplink_share"][node] for r in json.loads(GOOD)["requests"] if r["id"] in names]
        assert answer["nodes"][node]["uplink_share"] == pytest.approx(sum(shares))


def test_the_table_has_a_row_for_each_node():
    network = parse_network(GOOD, "network.json")
    table = network_table(network, network_answer(network, solve_network(network), "joint", 0.1))
    assert [line.split()[0] for line in table.splitlines()[-2:]] == ["n0", "n1"]
    assert "proven the most" in table


REFUSED = [
    # what stands in the file, what stands there instead, the answer
    ('"id": "n1"', '"id": "n0"', "nodes[1].id: found 'n0', expected an id that no other node has"),
    ('"id": "r1"', '"id": "r0"', "requests[1].id: found 'r0', expected an id that no other request has"),
    ('"n1": 0.12', '"n2": 0.12', "requests[1].uplink_share: found 'n2', expected one of n0, n1"),
    (
        ', "n1": 0.108',
        "",
        "requests[1].downlink_share.n1: found nothing, expected a share: both name the same nodes",
    ),
    ('"n1": 0.12', '"n1": -0.12', "requests[1].uplink_share.n1: found -0.12, expected a number at least 0"),
    (
        '"n1": 0.12',
        '"n1": 1' + 400 * "0",
        "requests[1].uplink_share.n1: found a whole number of 1329 bits, expected a number at least 0",
    ),
    ('"cost": "flops"', '"cost": "flop"', "nodes[0].cost: found 'flop', expected flops or"),
    ('"layers": 30', '"layers": 0', "nodes[0].llm.layers: found 0, expected a whole number at least 1"),
    ('"weight": 2', '"weight": 0', "requests[3].weight: found 0.0, expected a number above 0"),
    ("network/1", "network/2", "format: found 'edgebatch-network/2', expected one of edgebatch-"),
    ('"requests"', '"request"', "request: found an unknown key, expected one of format, nodes, requests"),
]


@pytest.mark.parametrize(
    ("old", "new", "line"), REFUSED, ids=[line.partition(":")[0] for _, _, line in REFUSED]
)
def test_a_network_that_cannot_be_used_is_refused_in_one_line(capsys, tmp_path, old, new, line):
    assert old in GOOD
    (tmp_path / "network.json").write_text(GOOD.replace(old, new, 1))
    assert main(["solve", str(tmp_path / "network.json")]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert f"network.json: {line}" in streams.err
    assert streams.err.count("\n") == 1


def test_a_node_that_no_request_names_is_refused_but_an_epoch_without_requests_is_not(capsys, tmp_path):
    content = json.loads(GOOD)
    for request in content["requests"]:
        for shares in (request["uplink_share"], request["downlink_share"]):
            shares.pop("n1", None)
    path = tmp_path / "network.json"
    path.write_text(json.dumps(content))
    assert main(["solve", str(path)]) == 2
    line = "network.json: nodes[1]: found no request with shares at 'n1', expected at least one\n"
    assert capsys.readouterr().err.endswith(line)
    path.write_text(json.dumps(content | {"requests": []}))
    assert main(["solve", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["size"] == 0


@pytest.mark.parametrize(
    ("file", "option", "line"),
    [
        ("network.json", ("--scheduler", "dftsp"), "--scheduler: found an option that it has no use for"),
        ("example.json", ("--method", "gah"), "--method: found an option that it has no use for"),
        ("network.json", ("--method", "gha"), "--method: found 'gha', expected one of"),
    ],
)
def test_an_option_of_the_other_kind_is_refused_in_one_line(capsys, file, option, line):
    assert main(["solve", str(ROOT / "docs" / file), *option]) == 2
    error = capsys.readouterr().err
    assert line in error
    assert error.count("\n") == 1
