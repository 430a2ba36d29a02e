"""Files of the format edgebatch-instance/1: a good one, and ways to spoil it."""

from __future__ import annotations

import copy
import json

GOOD = {
    "format": "edgebatch-instance/1",
    "slots": {"uplink_s": 0.25, "compute_s": 1.5, "downlink_s": 0.25},
    "padding": "batch_max",
    "cost": "flops",
    "llm": {"layers": 30, "hidden_size": 2560, "ffn_size": 10240},
    "quantization": {"weight_bits": 16, "kv_bits": 16, "compute_factor": 1.0, "accuracy": 1.0},
    "edge_node": {"flops": 2.66e13, "memory_bytes": 3.2e10, "devices": 20},
    "requests": [
        {
            "id": "r0",
            "prompt_tokens": 128,
            "output_tokens": 512,
            "latency_s": 1.8,
            "waited_s": 0.3,
            "accuracy": 0.4,
            "uplink_share": 0.003,
            "downlink_share": 0.001,
        },
        {
            "id": "late",
            "prompt_tokens": 512,
            "output_tokens": 128,
            "latency_s": 0.9,
            "waited_s": 0.5,
            "accuracy": 0.9,
            "uplink_share": 0.25,
            "downlink_share": 0.125,
        },
    ],
}
MISSING = object()


def changed(path: tuple = (), value: object = MISSING) -> dict:
    """`GOOD` with `value` at `path`, or without what stands there."""
    data = copy.deepcopy(GOOD)
    place = data
    for key in path[:-1]:
        place = place[key]
    if value is not MISSING:
        place[path[-1]] = value
    elif path:
        del place[path[-1]]
    return data


def text(path: tuple = (), value: object = MISSING) -> str:
    return json.dumps(changed(path, value))


FIRST = ("requests", 0)
BANDWIDTH = "cost.roofline.memory_bandwidth_bytes_per_s"
SPOILT = [
    # path, value, the key that the message names, what it expects there
    (("format",), MISSING, "format", "one of edgebatch-instance/1"),
    (("format",), "edgebatch-instance/2", "format", "(did you mean edgebatch-instance/1?)"),
    (("format",), 1, "format", "one of edgebatch-instance/1"),
    (("slots",), MISSING, "slots", "slots"),
    (("slots",), [0.25, 1.5, 0.25], "slots", "a mapping with uplink_s, compute_s, downlink_s"),
    (("slots", "compute_s"), MISSING, "slots.compute_s", "a number above 0"),
    (("slots", "compute_s"), 0, "slots.compute_s", "a number above 0"),
    (("slots", "uplink_s"), "fast", "slots.uplink_s", "a number above 0"),
    (("slots", "uplink"), 0.25, "slots.uplink", "(did you mean uplink_s?)"),
    (("padding",), "batch-max", "padding", "batch_max"),
    (("padding",), 512, "padding", "a text"),
    (("padding",), {"fixed_tokens": 0}, "padding.fixed_tokens", "a whole number at least 1"),
    (("padding",), {"fixed": 512}, "padding.fixed", "one of fixed_tokens"),
    (("padding",), {"fixed_tokens": 511}, "requests[1].prompt_tokens", "at most the fixed padding, 511"),
    (("cost",), MISSING, "cost", "a value for cost"),
    (("cost",), "flop", "cost", 'flops or {"roofline": '),
    (("cost",), "roofline", "cost", '{"memory_bandwidth_bytes_per_s": ...}}'),
    (("cost",), None, "cost", "flops or"),
    (("cost",), {}, "cost.roofline", "a value for roofline"),
    (("cost",), {"rofline": {}}, "cost.rofline", "(did you mean roofline?)"),
    (("cost",), {"roofline": 1e12}, "cost.roofline", "a mapping with memory_bandwidth_bytes_per_s"),
    (("cost",), {"roofline": {}}, BANDWIDTH, "a number above 0"),
    (("cost",), {"roofline": {"memory_bandwidth_bytes_per_s": 0}}, BANDWIDTH, "a number above 0"),
    (("cost",), {"roofline": {"memory_bandwidth_bytes_per_s": "1e12"}}, BANDWIDTH, "a number above 0"),
    (("llm", "layers"), 0, "llm.layers", "a whole number at least 1"),
    (("llm", "layers"), 2.5, "llm.layers", "a whole number at least 0"),
    (("llm", "hidden_size"), True, "llm.hidden_size", "a whole number at least 1"),
    (("llm", "ffn_size"), MISSING, "llm.ffn_size", "a whole number at least 1"),
    (("quantization", "weight_bits"), 0, "quantization.weight_bits", "a number above 0 and at most 16"),
    (("quantization", "kv_bits"), 32, "quantization.kv_bits", "a number above 0 and at most 16"),
    (("quantization", "compute_factor"), -1, "quantization.compute_factor", "a number above 0"),
    (("quantization", "accuracy"), 1.5, "quantization.accuracy", "a number at least 0 and at most 1"),
    (("quantization", "weight_bits_by_layer"), 4, "quantization.weight_bits_by_layer", "a number above 0"),
    (("quantization", "weight_bits_by_layer"), [4, 4], "quantization.weight_bits_by_layer", "30 layers"),
    (("quantization", "weight_bits_by_layer"), ["4"], "quantization.weight_bits_by_layer[0]", "a number"),
    (("quantization", "pruned_share"), 1.1, "quantization.pruned_share", "a number at least 0 and at most 1"),
    (("quantization", "adapter_rank"), 0.5, "quantization.adapter_rank", "a whole number at least 0"),
    (("storage",), "emmc", "storage", "a mapping with share, speed_bytes_per_s"),
    (("storage",), {"share": 0.5}, "storage.speed_bytes_per_s", "a number at least 1"),
    (("storage",), {"share": 2, "speed_bytes_per_s": 1e9}, "storage.share", "at least 0 and at most 1"),
    (
        ("storage",),
        {"share": 1, "speed_bytes_per_s": 1e9, "capacity_bytes": 1e9},
        "storage.capacity_bytes",
        "at least 4.71859e+09, the bytes that stay there",
    ),
    (("tuning",), {"window": 4}, "tuning.window", "(did you mean window_layers?)"),
    (
        ("tuning",),
        {"window_layers": 31, "sequences": 1, "sequence_tokens": 1, "steps_per_s": 0},
        "tuning.window_layers",
        "at most 30, the layers of the model",
    ),
    (
        ("tuning",),
        {"window_layers": 4, "sequences": 4, "sequence_tokens": 512, "steps_per_s": 9},
        "tuning.steps_per_s",
        "which take all time of the node",
    ),
    (("edge_node",), [], "edge_node", "a mapping with flops, memory_bytes, devices"),
    (("edge_node", "flops"), 0, "edge_node.flops", "a number above 0"),
    (("edge_node", "memory_bytes"), None, "edge_node.memory_bytes", "a number above 0"),
    (("edge_node", "devices"), 0, "edge_node.devices", "a whole number at least 1"),
    (("edge_node", "devices"), 1.5, "edge_node.devices", "a whole number at least 1"),
    (("requests",), MISSING, "requests", "requests"),
    (("requests",), {}, "requests", "a list"),
    (FIRST, 5, "requests[0]", "a mapping with id, prompt_tokens"),
    ((*FIRST, "id"), 7, "requests[0].id", "a text"),
    (("requests", 1, "id"), "r0", "requests[1].id", "an id that no other request has"),
    ((*FIRST, "prompt_tokens"), 0, "requests[0].prompt_tokens", "a whole number at least 1"),
    ((*FIRST, "prompt_tokens"), "128", "requests[0].prompt_tokens", "a whole number at least 1"),
    ((*FIRST, "output_tokens"), 1.5, "requests[0].output_tokens", "a whole number at least 1"),
    ((*FIRST, "latency_s"), 0, "requests[0].latency_s", "a number above 0"),
    ((*FIRST, "latency"), 1.8, "requests[0].latency", "(did you mean latency_s?)"),
    ((*FIRST, "waited_s"), MISSING, "requests[0].waited_s", "a number at least 0"),
    (("requests", 1, "waited_s"), -0.1, "requests[1].waited_s", "a number at least 0"),
    ((*FIRST, "accuracy"), 2, "requests[0].accuracy", "a number at least 0 and at most 1"),
    ((*FIRST, "uplink_share"), -1, "requests[0].uplink_share", "a number at least 0"),
    (("requests", 1, "downlink_share"), "half", "requests[1].downlink_share", "a number at least 0"),
    (("request",), [], "request", "(did you mean requests?)"),
]
SPOILT_IDS = [f"{key}-{'missing' if value is MISSING else value}" for _, value, key, _ in SPOILT]

NO_INSTANCES = [
    # text, what the message names, what it expects
    ("", "line 1, column 1", "JSON"),
    ("{", "line 1, column 2", "JSON"),
    ('{\n  "format": ,\n}', "line 2, column 13", "JSON"),
    (text() + "}", "found '}'", "JSON"),
    ("[1, 2]", "a list of 2", "a mapping with slots, padding"),
    ("null", "nothing", "a mapping with slots, padding"),
    ("[" * 100_000, "nesting", "JSON of a few levels"),
    (text().replace("1.8", "NaN"), "requests[0].latency_s: found nan", "a number above 0"),
    (text().replace("1.8", "-Infinity"), "requests[0].latency_s: found -inf", "a number above 0"),
    (text().replace("1.8", "1e999"), "requests[0].latency_s: found inf", "a number above 0"),
    (text().replace('"waited_s"', '"latency_s"', 1), "latency_s", "each key once"),
]
NO_INSTANCE_IDS = [
    "empty",
    "cut off",
    "no value",
    "two ends",
    "list",
    "null",
    "deep",
    "not a number",
    "infinite",
    "too large",
    "key twice",
]

DIGITS_400, DIGITS_5000 = "1" + "0" * 400, "1" + "0" * 5000
TOO_LARGE = [
    # a number as it stands in the file in place of another, and the key that the message names
    ('"latency_s": 1.8', f'"latency_s": {DIGITS_400}', "requests[0].latency_s"),
    ('"prompt_tokens": 128', f'"prompt_tokens": {DIGITS_400}', "requests[0].prompt_tokens"),
    ('"prompt_tokens": 128', f'"prompt_tokens": {DIGITS_5000}', ""),
    ('"prompt_tokens": 128', '"prompt_tokens": 10000000000000000000', "requests[0].prompt_tokens"),
    ('"layers": 30', '"layers": 100000000000000000000', "llm.layers"),
    ('"layers": 30', f'"layers": {DIGITS_400}', "llm.layers"),
    ('"padding": "batch_max"', '"padding": {"fixed_tokens": 100000000000000000000}', "padding"),
]
TOO_LARGE_IDS = [f"{key or 'digits'}-{len(new)}" for _, new, key in TOO_LARGE]
