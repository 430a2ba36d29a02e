"""An instance file that cannot be used, by the tables of tests/edgebatch/instance_files.py and more."""

import os

import pytest

from edgebatch.io.cli import main
from tests.edgebatch.instance_files import (
    NO_INSTANCE_IDS,
    NO_INSTANCES,
    SPOILT,
    SPOILT_IDS,
    TOO_LARGE,
    TOO_LARGE_IDS,
    text,
)
from tests.refusals.refused import refusal, says

MIXED = "expected one of cost, edge_node, format, llm, output_billing, padding, quantization, requests, slots, storage, tuning"
NULL = r"\x00"
LATENCY, FLOPS = '"latency_s": 1.8', '"flops": 26600000000000.0'

MORE = [
    # what stands in the file, what stands there instead, the answer
    (LATENCY, '"latency_s": Infinity', "requests[0].latency_s: found inf, expected a number above 0"),
    (LATENCY, '"latency_s": -1.8', "requests[0].latency_s: found -1.8, expected a number above 0"),
    (LATENCY, '"latency_s": true', "requests[0].latency_s: found true, expected a number above 0"),
    (LATENCY, '"latency_s": "1.8 s"', "requests[0].latency_s: found '1.8 s', expected a number above 0"),
    (LATENCY, '"latency_s": 1,8', "line 1, column ...: found ..., expected JSON (...)"),
    (LATENCY, '"Latency_s": 1.8', "requests[0].Latency_s: found an unknown key, expected one of ... (did you mean latency_s?)"),
    (LATENCY, "latency_s: 1.8", "line 1, column ...: found ..., expected JSON (...)"),
    (LATENCY, "'latency_s': 1.8", "line 1, column ...: found ..., expected JSON (...)"),
    (LATENCY, LATENCY + " // patient", "line 1, column ...: found '// patient...', expected JSON (...)"),
    (LATENCY, LATENCY + ', "weight": 0', "requests[0].weight: found 0.0, expected a number above 0"),
    (LATENCY, LATENCY + ', "weight": -1', "requests[0].weight: found -1.0, expected a number above 0"),
    (LATENCY, LATENCY + ', "weight": Infinity', "requests[0].weight: found inf, expected a number above 0"),
    (LATENCY, LATENCY + ', "weight": "high"', "requests[0].weight: found 'high', expected a number above 0"),
    (LATENCY, LATENCY + ', "weight": 2', "requests[0].weight: found 2.0, expected 1, as dftsp takes no weights, or one of the schedulers ..., surrogate"),
    (FLOPS, '"flops": 26.6e', "line 1, column ...: found 'e...', expected JSON (...)"),
    (FLOPS, '"flops": 1e400', "edge_node.flops: found inf, expected a number above 0"),
    (FLOPS, '"gflops": 26600', "edge_node.gflops: found an unknown key, expected one of devices, flops, memory_bytes (did you mean flops?)"),
    ('"id": "r0"', '"id": NaN', "requests[0].id: found nan, expected a text"),
    ('"id": "r0"', '"id": ' + "[" * 900 + "]" * 900, "requests[0].id: found a list of 1, expected a text"),
    ('"prompt_tokens": 128', '"prompt_tokens": 1' + "0" * 5000, "found 100000000000..., a number of 5001 digits, expected numbers that can be read"),
    ('"format": ', '"Format": ', f"Format: found an unknown key, {MIXED} (did you mean format?)"),
    ('"requests": [', '"requests": [[], ', "requests[0]: found a list of 0, expected a mapping with id, prompt_tokens, ..."),
    ('"requests": [', '"requests": [null, ', "requests[0]: found nothing, expected a mapping with id, prompt_tokens, ..."),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refusal(capsys, folder, content):
    data = content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
    (folder / "epoch.json").write_bytes(data)
    line = refusal(capsys, folder, lambda: main(["solve", "epoch.json"]))
    assert line.startswith("edgebatch: epoch.json: ")
    assert len(line) < 400
    return line.removeprefix("edgebatch: epoch.json: ")


@pytest.mark.parametrize(("path", "value", "key", "expected"), SPOILT, ids=SPOILT_IDS)
def test_a_value_that_cannot_be_used_is_refused_with_its_key(folder, capsys, path, value, key, expected):
    line = _refusal(capsys, folder, text(path, value))
    assert line.startswith(f"{key}: found ")
    assert expected in line.split(", expected ", 1)[1]


@pytest.mark.parametrize(("content", "found", "expected"), NO_INSTANCES, ids=NO_INSTANCE_IDS)
def test_what_is_no_instance_is_refused_with_its_place(folder, capsys, content, found, expected):
    line = _refusal(capsys, folder, content)
    assert found in line
    assert expected in line.split(", expected ", 1)[1]


@pytest.mark.parametrize(("old", "new", "key"), TOO_LARGE, ids=TOO_LARGE_IDS)
def test_a_number_too_large_to_count_with_is_refused_with_its_key(folder, capsys, old, new, key):
    assert old in text()
    assert _refusal(capsys, folder, text().replace(old, new, 1)).startswith(key)


@pytest.mark.parametrize(("old", "new", "answer"), MORE, ids=[row[1][:40] for row in MORE])
def test_a_mistake_that_people_make_is_refused_with_its_key(folder, capsys, old, new, answer):
    assert old in text()
    line = _refusal(capsys, folder, text().replace(old, new, 1))
    assert says(line, answer), line


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        (b'{"format": "\xff"}', "found byte 12 that is not UTF-8, expected text in UTF-8"),
        (text().encode("utf-16"), "found byte 0 that is not UTF-8, expected text in UTF-8"),
        (
            b"\0" * 100,
            f"line 1, column 1: found '{12 * NULL}...', expected JSON (...)",
        ),
        (
            b"format: edgebatch-instance/1\n",
            "line 1, column 1: found 'format: edge...', expected JSON (...)",
        ),
    ],
    ids=["not UTF-8", "UTF-16", "zero bytes", "YAML"],
)
def test_bytes_that_are_no_json_are_refused_with_their_place(folder, capsys, content, answer):
    assert says(_refusal(capsys, folder, content), answer)


def _link(path):
    path.symlink_to("nowhere")


def _secret(path):
    path.touch(0)


@pytest.mark.parametrize(
    ("how", "found"),
    [
        (lambda path: None, "no such file or directory"),
        (os.mkdir, "a directory"),
        (_link, "no such file or directory"),
        pytest.param(
            _secret,
            "permission denied",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything"),
        ),
    ],
    ids=["missing", "folder", "broken link", "unreadable"],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(folder, capsys, how, found):
    how(folder / "epoch.json")
    line = refusal(capsys, folder, lambda: main(["solve", "epoch.json"]))
    assert line == f"edgebatch: epoch.json: found {found}, expected a readable file"
