"""The format edgebatch-network/1, the command that reads it, and its documentation."""

import json
import shlex

import pytest

from edgebatch.io import read_network
from edgebatch.io.cli import main
from edgebatch.io.network_format import network_answer, network_table
from edgebatch.network import OUT_OF_REACH, methods, solve_network
from tests.workflow.checkout import ROOT, example

FILE = ROOT / "docs" / "network.json"
KEYS = ["method", "assigned", "size", "weight", "upper_bound", "optimal", "nodes", "solve_time_s"]
OF_A_NODE = [
    "padded_prompt_tokens",
    "uplink_share",
    "downlink_share",
    "memory_bytes",
    "compute_time_s",
    "deadline_s",
]


def _answer(capsys, *words):
    assert main(["solve", *map(str, words)]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_example_of_the_documentation_runs_and_has_every_documented_key(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *words = shlex.split(example("docs/network-format.md", "sh", "edgebatch solve"))
    assert (program, main(words)) == ("edgebatch", 0)
    answer = json.loads(capsys.readouterr().out)
    page = (ROOT / "docs/network-format.md").read_text(encoding="utf-8")
    for key in (*answer, *answer["nodes"]["tower"], *methods.names()):
        assert f"`{key}`" in page
    assert answer["assigned"] == {"tower": ["r1", "r2"], "kiosk": ["r0", "r3"]}


def test_a_file_is_read_value_by_value():
    network = read_network(FILE)
    assert [node.id for node in network.nodes] == ["tower", "kiosk"]
    assert network.ids == ("r0", "r1", "r2", "r3")
    assert network.weight.tolist() == [1.5, 2.0, 1.0, 1.0]
    assert network.uplink_share.tolist() == [[0.5, 0.5, 0.5, 0.8], [0.4, 0.9, OUT_OF_REACH, 0.5]]
    assert network.downlink_share.tolist() == [[0.02, 0.01, 0.01, 0.03], [0.02, 0.03, OUT_OF_REACH, 0.02]]
    assert network.prompt_tokens.tolist() == [128, 256, 128, 512]
    tower, kiosk = (node.system for node in network.nodes)
    assert tower.cost == "flops"
    assert kiosk.cost.memory_bandwidth_bytes_per_s == 1.008e12
    assert (tower.quantization.weight_bits, kiosk.quantization.weight_bits) == (8, 4)


@pytest.mark.parametrize("method", methods.names())
def test_an_answer_has_exactly_the_keys_of_the_format_and_what_the_library_says(capsys, method):
    network = read_network(FILE)
    schedule, answer = solve_network(network, method), _answer(capsys, FILE, "--method", method)
    assert list(answer) == KEYS
    assert answer["method"] == method
    assert (answer["size"], answer["weight"]) == (schedule.size, schedule.weight)
    assert (answer["upper_bound"], answer["optimal"]) == (schedule.upper_bound, schedule.optimal)
    batches = [[network.ids[i] for i in batch] for batch in schedule.batches]
    assert answer["assigned"] == dict(zip(("tower", "kiosk"), batches, strict=True))
    for name in ("tower", "kiosk"):
        assert list(answer["nodes"][name]) == OF_A_NODE


def test_without_weights_the_answer_counts_requests_in_whole_numbers(capsys, tmp_path):
    text = FILE.read_text(encoding="utf-8").replace(', "weight": 1.5', "").replace(', "weight": 2', "")
    (tmp_path / "plain.json").write_text(text)
    answer = _answer(capsys, tmp_path / "plain.json")
    assert (answer["size"], answer["weight"], answer["upper_bound"]) == (4, 4, 4)
    assert type(answer["weight"]) is int


def test_without_requests_nobody_is_served(capsys, tmp_path):
    data = json.loads(FILE.read_text(encoding="utf-8")) | {"requests": []}
    (tmp_path / "empty.json").write_text(json.dumps(data))
    answer = _answer(capsys, tmp_path / "empty.json")
    assert (answer["assigned"], answer["size"], answer["optimal"]) == ({"tower": [], "kiosk": []}, 0, True)


def test_a_table_shows_who_is_served_where_and_how_full_each_node_is():
    network = read_network(FILE)
    table = network_table(network, network_answer(network, solve_network(network, "gah"), "gah", 0.01), 100)
    assert table.splitlines() == [
        "method     gah",
        "size       3 of 4 requests",
        "weight     4.5, at most 5.5 possible",
        "solved in  10 ms",
        "tower      r0, r1 (uplink 100.0 %, downlink 3.0 %, memory 8.2 %, compute 12.0 %)",
        "kiosk      r3 (uplink 50.0 %, downlink 2.0 %, memory 5.9 %, compute 23.7 %)",
    ]
