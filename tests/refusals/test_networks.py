"""A file of several nodes that cannot be used: what stands in it, what stands there instead, the answer."""

import pytest

from edgebatch.io.cli import main
from tests.refusals.refused import refusal, says
from tests.workflow.checkout import ROOT

GOOD = (ROOT / "docs" / "network.json").read_text(encoding="utf-8")
UPLINK, DOWNLINK = (
    '"uplink_share": {"tower": 0.5, "kiosk": 0.4}',
    '"downlink_share": {"tower": 0.02, "kiosk": 0.02}',
)

FILES = [
    ("network/1", "network/2", "format: found 'edgebatch-network/2', expected one of edgebatch-network/1 (did you mean edgebatch-network/1?)"),
    ('"id": "kiosk"', '"id": "tower"', "nodes[1].id: found 'tower', expected an id that no other node has"),
    ('"id": "kiosk"', '"id": "shop"', "requests[0].uplink_share.kiosk: found an unknown node, expected one of shop, tower"),
    ('"id": "kiosk"', '"id": "kiosks"', "requests[0].uplink_share.kiosk: found an unknown node, expected one of kiosks, tower (did you mean kiosks?)"),
    ('"id": "r1"', '"id": "r0"', "requests[1].id: found 'r0', expected an id that no other request has"),
    ('"id": "r1"', '"id": 1', "requests[1].id: found 1, expected a text"),
    ('"nodes": [', '"nodes": [null, ', "nodes[0]: found nothing, expected a mapping with id, slots, padding, ..."),
    ('"nodes": [', '"nods": [', "nods: found an unknown key, expected one of format, nodes, requests (did you mean nodes?)"),
    ('"nodes"', '"slots": {}, "nodes"', "slots: found an unknown key, expected one of format, nodes, requests"),
    ('"flops": 1.65e14', '"flops": -1', "nodes[1].edge_node.flops: found -1.0, expected a number above 0"),
    ('"padding": "batch_max", "cost"', '"padding": "none", "cost"', "nodes[0].padding: found 'none', expected batch_max or {...}"),
    ('"cost": "flops"', '"cost": "flop"', "nodes[0].cost: found 'flop', expected flops or {...}"),
    (UPLINK, '"uplink_share": {"tower": 0.5}', "requests[0].downlink_share: found shares of tower, kiosk, expected the nodes of uplink_share: tower"),
    (DOWNLINK, '"downlink_share": {}', "requests[0].downlink_share: found shares of no node, expected the nodes of uplink_share: tower, kiosk"),
    (DOWNLINK, '"downlink_share": 0.02', "requests[0].downlink_share: found 0.02, expected a mapping"),
    (UPLINK, '"uplink_share": {"tower": 0.5, "kiosk": -0.4}', "requests[0].uplink_share.kiosk: found -0.4, expected a number at least 0"),
    (UPLINK, '"uplink_share": {"tower": 0.5, "kiosk": Infinity}', "requests[0].uplink_share.kiosk: found inf, expected a number at least 0"),
    (UPLINK, '"uplink_share": {"tower": 0.5, "kiosk": NaN}', "requests[0].uplink_share.kiosk: found nan, expected a number at least 0"),
    (UPLINK, '"uplink_share": {"tower": 0.5, "kiosk": "0.4"}', "requests[0].uplink_share.kiosk: found '0.4', expected a number"),
    (UPLINK, '"uplink_share": {"tower": 0.5, "tower": 0.4}', "tower: found the key twice, expected each key once"),
    ('"weight": 2', '"weight": -2', "requests[1].weight: found -2.0, expected a number above 0"),
    ('"weight": 2', '"weight": 0', "requests[1].weight: found 0.0, expected a number above 0"),
    ('"weight": 2', '"weight": Infinity', "requests[1].weight: found inf, expected a number above 0"),
    ('"weight": 2', '"wieght": 2', "requests[1].wieght: found an unknown key, expected one of ... (did you mean weight?)"),
    ('"latency_s": 1.5', '"latency_s": 0', "requests[1].latency_s: found 0.0, expected a number above 0"),
    ('"prompt_tokens": 512', '"prompt_tokens": 0', "requests[3].prompt_tokens: found 0, expected a whole number at least 1 and at most 1e+09"),
    ('"nodes": [', '"nodes": [{', "line ..., column ...: found ..., expected JSON (...)"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refusal(capsys, folder, text, *words):
    (folder / "network.json").write_text(text)
    line = refusal(capsys, folder, lambda: main(["solve", "network.json", *words]))
    return line.removeprefix("edgebatch: ").removeprefix("network.json: ")


@pytest.mark.parametrize(("old", "new", "line"), FILES, ids=[row[2][:60] for row in FILES])
def test_a_network_that_cannot_be_used_is_refused_in_one_line(capsys, folder, old, new, line):
    assert old in GOOD
    found = _refusal(capsys, folder, GOOD.replace(old, new, 1))
    assert says(found, line), found


def test_a_network_without_nodes_is_refused(capsys, folder):
    text = '{"format": "edgebatch-network/1", "nodes": [], "requests": []}'
    assert _refusal(capsys, folder, text) == "nodes: found none, expected at least one node"


def test_a_node_that_no_request_names_is_refused(capsys, folder):
    text = GOOD
    for share in ('"kiosk": 0.4', '"kiosk": 0.02', '"kiosk": 0.9', '"kiosk": 0.03', '"kiosk": 0.5'):
        text = text.replace(", " + share, "")
    line = "nodes[1].id: found 'kiosk', expected a node that the shares of a request name"
    assert _refusal(capsys, folder, text) == line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--method", "jiont"], "--method: found 'jiont', expected one of ..., joint, ... (did you mean joint?)"),
        (["--method", ""], "--method: found '', expected one of ..."),
        (["--scheduler", "dftsp"], "--scheduler: found 'dftsp', expected nothing: it is for one node, and the file has several"),
    ],
)  # fmt: skip
def test_a_method_that_does_not_fit_is_refused(capsys, folder, words, line):
    found = _refusal(capsys, folder, GOOD, *words)
    assert says(found, line), found


def test_models_with_experts_are_refused_by_the_joint_program(capsys, folder):
    experts = GOOD.replace('"ffn_size": 10240},\n     "quantization": {"weight_bits": 4', '"ffn_size": 10240, "experts": 8, "active_experts": 2},\n     "quantization": {"weight_bits": 4')  # fmt: skip
    assert experts != GOOD
    line = _refusal(capsys, folder, experts, "--method", "joint_milp")
    assert line == "llm.experts: found 8, expected 1: this solver needs a convex compute time"
