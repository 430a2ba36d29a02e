import json
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import InputError, Instance, Llm, Quantization, Schedule, Slots, Storage, Tuning, solve
from edgebatch.io import instance_format, parse_instance, read_instance
from edgebatch.io.instance_format import answer
from edgebatch.model.roofline import Roofline
from tests.edgebatch.instance_files import GOOD, changed, text
from tests.edgebatch.instances import sample, steady, under_roofline, with_system
from tests.edgebatch.oracle import request_flops

SLOW_MEMORY = {"roofline": {"memory_bandwidth_bytes_per_s": 5.97e9}}


def _refusal(contents: str) -> str:
    with pytest.raises(InputError) as refusal:
        parse_instance(contents, "epoch.json")
    return str(refusal.value)


def test_a_good_file_is_read_value_by_value():
    instance = parse_instance(text(), "epoch.json")
    system = instance.system
    assert system.slots == Slots(uplink_s=0.25, compute_s=1.5, downlink_s=0.25)
    assert system.llm == Llm(layers=30, hidden_size=2560, ffn_size=10240)
    assert system.quantization == Quantization(16.0, 16.0, 1.0, 1.0)
    assert (system.edge_node.flops, system.edge_node.memory_bytes, system.edge_node.devices) == (
        2.66e13,
        3.2e10,
        20,
    )
    assert system.fixed_padding_tokens is None
    assert instance.ids == ("r0", "late")
    for column in ("prompt_tokens", "output_tokens", "latency_s", "waited_s", "accuracy", "uplink_share"):
        assert getattr(instance, column).tolist() == [request[column] for request in GOOD["requests"]]
    assert instance.downlink_share.tolist() == [0.001, 0.125]


def test_a_fixed_padding_is_read():
    padded = parse_instance(text(("padding",), {"fixed_tokens": 600}), "epoch.json")
    assert padded.system.fixed_padding_tokens == 600


def test_a_cost_model_is_read():
    assert parse_instance(text(), "epoch.json").system.cost == "flops"
    roofline = {"roofline": {"memory_bandwidth_bytes_per_s": 1.19e12}}
    assert parse_instance(text(("cost",), roofline), "epoch.json").system.cost == Roofline(1.19e12)


def test_an_answer_under_roofline_has_the_compute_time_of_the_model():
    # 5.97 GB/s: a first stage of arithmetic, then 511 readings of the weights and of a growing cache
    instance = parse_instance(
        text(("cost",), SLOW_MEMORY).replace('"latency_s": 1.8', '"latency_s": 999'), "a"
    )
    instance = with_system(instance, "slots", compute_s=999.0)
    cache_bytes = 307_200 * sum(range(128, 640))
    compute_time_s = (512 * 4_718_592_000 + cache_bytes) / 5.97e9
    given_answer = answer(instance, solve(instance), "dftsp", 0.0)
    assert given_answer["selected"] == ["r0"]
    assert given_answer["compute_time_s"] == pytest.approx(compute_time_s, rel=1e-12)


def test_a_file_without_requests_is_an_instance():
    assert parse_instance(text(("requests",), []), "epoch.json").size == 0


def test_the_order_of_keys_is_irrelevant():
    backwards = json.dumps(dict(reversed(GOOD.items())))
    assert parse_instance(backwards, "a").system == parse_instance(text(), "a").system


@pytest.mark.parametrize(
    ("path", "value"),
    [(("llm", "a\nb"), 1), (("edge_node", "flops"), {"a\nb": 1}), (("requests", 0, "a\u2028b"), 1)],
    ids=["key", "value", "key of a request"],
)
def test_a_line_break_in_the_file_makes_no_second_line_in_the_message(path, value):
    assert len(_refusal(text(path, value)).splitlines()) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def _is_refused_or_read(contents: str) -> bool:
    """Whether the file gives an instance, or one line that names it; any other exception ends the test."""
    try:
        return isinstance(parse_instance(contents, "epoch.json"), Instance)
    except InputError as error:
        return str(error).startswith("epoch.json: ") and len(str(error).splitlines()) == 1


@steady
@given(st.text())
def test_any_text_is_refused_or_read(contents):
    assert _is_refused_or_read(contents)


@steady
@given(json_values)
def test_any_json_is_refused_or_read(data):
    assert _is_refused_or_read(json.dumps(data))


def test_an_answer_has_exactly_the_keys_of_the_format():
    instance = parse_instance(text(("requests", 1, "latency_s"), 0.01), "epoch.json")
    given_answer = answer(instance, solve(instance), "dftsp", 0.0004)
    # 128 prompt and 512 output tokens: 4718592000 bytes of weights and 640 * 307200 of cache
    compute_time_s = request_flops(30, 2560, 10240, 128, 512) / 2.66e13
    assert given_answer == {
        "scheduler": "dftsp",
        "selected": ["r0"],
        "size": 1,
        "optimal": True,
        "upper_bound": 1,
        "padded_prompt_tokens": 128,
        "uplink_share": 0.003,
        "downlink_share": 0.001,
        "memory_bytes": 4_915_200_000,
        "compute_time_s": pytest.approx(compute_time_s, rel=1e-12),
        "deadline_s": pytest.approx(1.8 - 0.3 - 0.25 - 0.25, rel=1e-12),
        "nodes_visited": given_answer["nodes_visited"],
        "solve_time_s": 0.0004,
    }
    assert list(given_answer)[:3] == ["scheduler", "selected", "size"]


def test_missed_requests_are_listed_where_there_are_some():
    instance = parse_instance(text(), "epoch.json")
    schedule = Schedule((0,), missed=(1,), upper_bound=2)
    assert answer(instance, schedule, "static_batching", 0.0)["missed"] == ["late"]


def _file_of(instance) -> dict:
    """The file that holds `instance`."""
    system = instance.system
    data = changed()
    for part, keys in (("slots", 3), ("llm", 3), ("quantization", 4), ("edge_node", 3)):
        assert len(data[part]) == keys
        data[part] = {key: getattr(getattr(system, part), key) for key in data[part]}
    if system.fixed_padding_tokens is not None:
        data["padding"] = {"fixed_tokens": system.fixed_padding_tokens}
    if isinstance(system.cost, Roofline):
        bandwidth = system.cost.memory_bandwidth_bytes_per_s
        data["cost"] = {"roofline": {"memory_bandwidth_bytes_per_s": bandwidth}}
    columns = [key for key in GOOD["requests"][0] if key != "id"]
    data["requests"] = [
        {"id": f"r{i}"} | {key: getattr(instance, key)[i].item() for key in columns}
        for i in range(instance.size)
    ]
    return data


def test_an_instance_survives_being_written_and_read():
    for instance in (*sample(96), *map(under_roofline, sample(24))):
        again = parse_instance(json.dumps(_file_of(instance)), "epoch.json")
        assert again.system == instance.system
        assert again.ids == tuple(f"r{i}" for i in range(instance.size))
        for column in (
            "prompt_tokens",
            "output_tokens",
            "slack_s",
            "accuracy",
            "uplink_share",
            "downlink_share",
        ):
            assert np.array_equal(getattr(again, column), getattr(instance, column))
        assert solve(again) == solve(instance)


def _file(folder, contents: bytes) -> Path:
    path = folder / "epoch.json"
    path.write_bytes(contents)
    return path


@pytest.mark.parametrize("kind", [str, Path])
def test_an_instance_is_read_from_a_path(tmp_path, kind):
    read = read_instance(kind(_file(tmp_path, text().encode())))
    assert read.ids == ("r0", "late")
    assert read.system == parse_instance(text(), "epoch.json").system


@pytest.mark.parametrize(
    ("contents", "fault"),
    [
        (text(("llm", "layers"), 0).encode(), "llm.layers: found 0, expected a whole number at least 1"),
        (b"{", "line 1, column 2: found the end of a line, expected JSON"),
        (text(("requests", 0, "id"), "é").replace(r"\u00e9", "é").encode("latin-1"), "found byte"),
    ],
    ids=["value", "JSON", "Latin-1"],
)
def test_a_file_that_holds_no_instance_is_refused_by_name(tmp_path, contents, fault):
    path = _file(tmp_path, contents)
    with pytest.raises(InputError) as refusal:
        read_instance(path)
    assert str(refusal.value).startswith(f"{path}: {fault}")


def test_a_folder_and_a_missing_file_are_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"found a directory, expected a readable file") as folder:
        read_instance(tmp_path)
    with pytest.raises(InputError, match=r"found no such file or directory") as missing:
        read_instance(tmp_path / "none.json")
    assert (folder.value.where, missing.value.where) == (str(tmp_path), str(tmp_path / "none.json"))


def test_a_byte_order_mark_is_ignored(tmp_path):
    assert read_instance(_file(tmp_path, text().encode("utf-8-sig"))).ids == ("r0", "late")
    assert parse_instance("\ufeff" + text(), "epoch.json").ids == ("r0", "late")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_an_instance_is_read_from_a_named_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text(),))
    writer.start()
    assert read_instance(pipe).ids == ("r0", "late")
    writer.join()


class _CountedText(str):
    """A text that counts how often it is compared."""

    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        _CountedText.comparisons += 1
        return str.__eq__(self, other)


def test_the_number_of_comparisons_of_ids_is_linear_in_the_requests(monkeypatch):
    requests = [GOOD["requests"][0] | {"id": _CountedText(f"r{i}")} for i in range(2000)]
    monkeypatch.setattr(instance_format, "parse_json", lambda _: changed(("requests",), requests))
    assert parse_instance("", "epoch.json").size == 2000
    assert _CountedText.comparisons < 2000


def test_an_id_that_stands_twice_is_refused_at_its_second_place():
    requests = [GOOD["requests"][0] | {"id": f"r{i % 70}"} for i in range(80)]
    assert _refusal(text(("requests",), requests)).startswith("epoch.json: requests[70].id: found 'r0',")


def test_techniques_storage_and_tuning_are_read():
    plain = parse_instance(text(), "epoch.json").system
    assert (plain.storage, plain.tuning, plain.quantization.tells_layers) == (None, None, False)
    bits = [4.0] * 15 + [3.0] * 15
    quantization = GOOD["quantization"] | {"weight_bits_by_layer": bits, "adapter_rank": 8}
    system = parse_instance(text(("quantization",), quantization), "epoch.json").system
    assert system.quantization == Quantization(16, 16, 1.0, 1.0, tuple(bits), adapter_rank=8)
    storage = {"share": 0.5, "speed_bytes_per_s": 3e8}
    assert parse_instance(text(("storage",), storage), "epoch.json").system.storage == Storage(0.5, 3e8)
    tuning = {"window_layers": 4, "sequences": 1, "sequence_tokens": 64, "steps_per_s": 0.5}
    assert parse_instance(text(("tuning",), tuning), "epoch.json").system.tuning == Tuning(4, 1, 64, 0.5)


def test_weights_are_read_and_the_answer_has_their_sum_beside_the_size():
    instance = parse_instance(text(("requests", 1, "weight"), 3), "epoch.json")
    assert instance.weight.tolist() == [1.0, 3.0]
    written = answer(instance, solve(instance, "surrogate"), "surrogate", 0.1)
    assert list(written).index("weight") == list(written).index("size") + 1
    assert written["weight"] == sum({"r0": 1.0, "late": 3.0}[name] for name in written["selected"]) > 0
    assert written["upper_bound"] == written["weight"]
    plain = parse_instance(text(("requests", 1, "weight"), 1), "epoch.json")
    assert "weight" not in answer(plain, solve(plain), "dftsp", 0.1)
