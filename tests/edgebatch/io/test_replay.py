"""The command `edgebatch replay`, its format, and its documentation."""

import json
import shlex

import pytest

from edgebatch.io.cli import main
from tests.workflow.checkout import ROOT, example

GOOD = (ROOT / "docs/replay.json").read_text(encoding="utf-8")
KEYS = ["first_token_s", "last_token_s", "ttft_s", "tpot_s", "latency_s"]


def _answer(capsys, path, *more):
    assert main(["replay", str(path), *more]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_example_of_the_documentation_runs_and_has_every_documented_key(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    program, *words = shlex.split(example("docs/replay-format.md", "sh", "edgebatch replay"))
    assert (program, main(words)) == ("edgebatch", 0)
    answer = json.loads(capsys.readouterr().out)
    page = (ROOT / "docs/replay-format.md").read_text(encoding="utf-8")
    for key in (*answer, *answer["summary"], *answer["requests"][0]):
        assert key.removeprefix("tpot").removeprefix("latency").removeprefix("ttft") in page


def test_each_request_has_its_times_in_order_or_a_reason(capsys):
    answer = _answer(capsys, ROOT / "docs/replay.json")
    assert answer["policy"] == "fcfs"
    first, second, third = answer["requests"]
    assert list(first) == KEYS
    assert first["tpot_s"] == pytest.approx((first["latency_s"] - first["ttft_s"]) / 99)
    assert second["latency_s"] == pytest.approx(second["last_token_s"] - 0.1)
    assert [third[key] for key in KEYS] == [None] * 5
    assert third["turned_away"] == "needs 50049 tokens of KV cache, which has room for 41408"
    assert answer["summary"]["attainment"] == pytest.approx(2 / 3)


def test_requests_may_lie_in_a_csv_beside_the_file(capsys, tmp_path):
    listed = _answer(capsys, ROOT / "docs/replay.json")
    data = json.loads(GOOD)
    rows = [",".join(str(value) for value in request.values()) for request in data["requests"]]
    (tmp_path / "r.csv").write_text("\n".join([",".join(data["requests"][0]), *rows]))
    (tmp_path / "replay.json").write_text(json.dumps(data | {"requests": "r.csv"}))
    assert _answer(capsys, tmp_path / "replay.json") == listed


def test_admission_turns_away_what_it_cannot_keep_and_says_so(capsys, tmp_path):
    data = json.loads(GOOD)
    data["requests"][1]["latency_s"] = 1.0
    (tmp_path / "replay.json").write_text(json.dumps(data))
    answer = _answer(capsys, tmp_path / "replay.json", "--policy", "exact_admission")
    assert answer["requests"][1]["turned_away"] == "latency_s cannot be kept beside the other requests"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("replay/1", "replay/2", "format: found 'edgebatch-replay/2', expected one of edgebatch-replay/1"),
        ('"layers": 32', '"layers": 32, "encoder_layers": 2', "llm.encoder_layers: found 2, expected 0"),
        ("41408", "0", "serving.kv_capacity_tokens: found 0, expected nothing, or a whole number at least 1"),
        (
            '"output_tokens": 400',
            '"output_tokens": 0',
            "requests[1].output_tokens: found 0, expected a whole",
        ),
        ('"arrival_s": 0.2', '"arrival_s": 0.05', "requests[2].arrival_s: found 0.05, expected at least 0.1"),
        ('"latency_s": 5.0', '"latency": 5.0', "requests[0].latency: found an unknown key, expected one of"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(capsys, tmp_path, old, new, line):
    assert old in GOOD
    (tmp_path / "replay.json").write_text(GOOD.replace(old, new))
    assert main(["replay", str(tmp_path / "replay.json")]) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert f"replay.json: {line}" in streams.err
    assert len(streams.err.splitlines()) == 1


def test_a_missing_csv_and_an_unknown_policy_are_refused(capsys, tmp_path):
    data = json.loads(GOOD) | {"requests": "none.csv"}
    (tmp_path / "replay.json").write_text(json.dumps(data))
    assert main(["replay", str(tmp_path / "replay.json")]) == 2
    assert "none.csv: found no such file or directory, expected a readable file" in capsys.readouterr().err
    assert main(["replay", str(tmp_path / "replay.json"), "--policy", "lifo"]) == 2
    assert "--policy: found 'lifo', expected one of edf, exact_admission" in capsys.readouterr().err
