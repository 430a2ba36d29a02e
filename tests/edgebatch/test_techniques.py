"""Nodes with bits by layer, sparse weights, adapters, storage and tuning: every part agrees on prices."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch import EdgeNode, InputError, Llm, Quantization, Schedule, Storage, System, Tuning, check, solve
from edgebatch.errors import InfeasibleSchedule
from edgebatch.search.tree.cost import batch_cost
from edgebatch.search.tree.price import compute_time_s, memory_bytes
from tests.edgebatch.agreement import agreed_size
from tests.edgebatch.instances import (
    BILLINGS,
    KINDS_OF_ALL_COSTS,
    of_today,
    random_instance,
    steady,
    under_roofline,
    unit_instance,
)
from tests.edgebatch.layer_oracle import Layers
from tests.edgebatch.oracle import batch_time_s, judge, optimum
from tests.edgebatch.techniques import TECHNIQUES, with_techniques

BOTH = Schedule((0, 1), upper_bound=2)
MODELS = ("paper", "grouped", "experts")


def _instance(rng, requests, kind, technique, model):
    plain = random_instance(rng, requests, **kind)
    if model != "paper":
        plain = of_today(plain, rng, model, kind["billing"])
    return with_techniques(plain, rng, technique)


@st.composite
def batches(draw):
    """An instance of a node with techniques, and a batch of it: indices."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(KINDS_OF_ALL_COSTS))
    instance = _instance(rng, 9, kind, draw(st.sampled_from(TECHNIQUES)), draw(st.sampled_from(MODELS)))
    return instance, np.flatnonzero(rng.integers(0, 2, 9) | np.eye(9, dtype=int)[rng.integers(9)])


def _billed(instance, batch):
    outputs = instance.output_tokens[batch].tolist()
    longest = instance.system.output_billing == "batch_max"
    return tuple([max(outputs)] * len(outputs) if longest else outputs)


@steady
@given(batches())
def test_every_price_of_time_is_that_of_all_steps_together(case):
    instance, batch = case
    system = instance.system
    padded = int(instance.padded(instance.prompt_tokens[batch]).max())
    lengths, counts = np.unique(instance.output_tokens[batch], return_counts=True)
    expected = batch_time_s(system)(padded, _billed(instance, batch))
    assert system.batch_time_s(padded, lengths, counts) == pytest.approx(expected, rel=1e-11)
    assert compute_time_s(batch_cost(system, padded, lengths), counts) == pytest.approx(expected, rel=1e-11)


@steady
@given(batches())
def test_every_price_of_memory_is_that_of_all_matrices_together(case):
    instance, batch = case
    system = instance.system
    padded = int(instance.padded(instance.prompt_tokens[batch]).max())
    lengths, counts = np.unique(instance.output_tokens[batch], return_counts=True)
    cache = system.kv_bytes(0, sum(padded + n for n in _billed(instance, batch)))
    expected = Layers(system).resident_bytes() + cache
    assert memory_bytes(batch_cost(system, padded, lengths), counts) == pytest.approx(expected, rel=1e-11)


@steady
@given(batches())
def test_the_checker_accepts_a_batch_exactly_if_the_oracle_does(case):
    instance, batch = case
    try:
        accepted = check(instance, Schedule(tuple(batch.tolist()), upper_bound=9)).compute_time_s > 0
    except InfeasibleSchedule:
        accepted = False
    assert accepted == judge(instance)(tuple(batch.tolist()))


@steady
@given(batches())
def test_one_more_request_never_costs_less(case):
    instance, batch = case
    lengths, place = np.unique(instance.output_tokens, return_inverse=True)
    padded = int(instance.padded(instance.prompt_tokens).max())
    cost = batch_cost(instance.system, padded, lengths)
    counts = np.bincount(place[batch], minlength=lengths.size)
    for more in np.eye(lengths.size, dtype=counts.dtype):
        assert compute_time_s(cost, counts + more) >= compute_time_s(cost, counts)
        assert memory_bytes(cost, counts + more) > memory_bytes(cost, counts)


@pytest.mark.parametrize("technique", TECHNIQUES)
def test_all_exact_schedulers_agree_and_find_the_optimum(technique):
    sizes = set()
    for seed, kind in enumerate(KINDS_OF_ALL_COSTS[:: len(KINDS_OF_ALL_COSTS) // 24]):
        rng = np.random.default_rng([seed, 14])
        instance = _instance(rng, 8, kind, technique, MODELS[seed % 2])
        size = agreed_size(instance)
        assert size == optimum(instance)
        sizes.add(size)
    assert len(sizes) > 2


@pytest.mark.parametrize("billing", BILLINGS)
def test_exact_schedulers_take_experts_too(billing):
    for seed, kind in enumerate(KINDS_OF_ALL_COSTS[::60]):
        rng = np.random.default_rng([seed, 15])
        instance = _instance(rng, 7, kind | {"billing": billing}, "all", "experts")
        assert agreed_size(instance) == optimum(instance)


@pytest.mark.parametrize("scheduler", ["static_batching", "no_batching", "greedy_load", "best_channel_first"])
def test_heuristics_make_schedules_that_the_checker_accepts(scheduler):
    served = 0
    for seed, kind in enumerate(KINDS_OF_ALL_COSTS[::20]):
        instance = _instance(np.random.default_rng([seed, 16]), 9, kind, "all", "paper")
        schedule = solve(instance, scheduler)
        check(instance, schedule)
        served += schedule.size
    assert served > 10


def _loads(*, cost="flops", quantization=None, **system):
    instance = unit_instance(
        [1, 1], [2, 2], quantization=quantization, memory_bytes=1e9, slack_s=1e9, compute_s=1e9
    )
    instance = under_roofline(instance) if cost == "roofline" else instance
    changed = dataclasses.replace(instance.system, **system)
    loads = check(dataclasses.replace(instance, system=changed), BOTH)
    return loads.memory_bytes, loads.compute_time_s


# UNIT: 6 weights, 12 bytes; (s, n) = (1, 2) costs 36 FLOPs, of which 2 * 12 are those of its weights
@pytest.mark.parametrize(
    ("fields", "memory", "flops"),
    [
        ({}, 12, 72),
        ({"weight_bits_by_layer": (4.0,)}, 3, 72),
        ({"sparse_share": 0.5, "sparse_bits": 32.0}, 12 + 6 * 0.5 * 4, 72 + 2 * 12),
        ({"pruned_share": 0.25}, 12, 72 - 2 * 6),
        # rank 2 beside four matrices of attention and two of the feed-forward network, each 1 x 1
        ({"adapter_rank": 2}, 12 + 2 * 2 * 2 * 6, 72 + 2 * 2 * 2 * 2 * 2 * 6),
    ],
    ids=["plain", "bits by layer", "sparse", "pruned", "adapters"],
)
def test_what_a_technique_takes_by_hand(fields, memory, flops):
    found = _loads(quantization=Quantization(16, 16, 1.0, 1.0, **fields))
    assert found == (pytest.approx(memory + 2 * 12), pytest.approx(flops / 16))


def test_layers_on_storage_are_loaded_in_each_step_by_hand():
    # half of 12 bytes, at 3 bytes/s and coded 2 : 1, in two steps; a buffer of one layer holds all of them
    plain_memory, plain_s = _loads()
    storage = Storage(share=0.5, speed_bytes_per_s=3.0, ratio=2.0)
    assert _loads(storage=storage) == (plain_memory, pytest.approx(plain_s + 2 * 1.0))
    slow_decoder = dataclasses.replace(storage, decoder_bytes_per_s=1.5)
    assert _loads(storage=slow_decoder) == (plain_memory, pytest.approx(plain_s + 2 * 4.0))


def test_memory_holds_the_layers_that_stay_and_a_buffer_of_one():
    system = unit_instance([1]).system
    deep = dataclasses.replace(system, llm=Llm(layers=4, hidden_size=1, ffn_size=1, vocabulary=10))
    for share, layers in ((0.0, 4), (0.25, 4), (0.5, 3), (1.0, 1)):
        there = dataclasses.replace(deep, storage=Storage(share, 1e9))
        assert there.resident_bytes == pytest.approx(layers * 12 + 20)


def test_a_device_by_itself_reads_its_part_of_the_storage():
    instance = unit_instance([1, 1], [2, 2], devices=2, slack_s=1e9, compute_s=1e9)
    system = dataclasses.replace(instance.system, storage=Storage(0.5, 3.0))
    instance = dataclasses.replace(instance, system=system)
    queues = Schedule((0, 1), device_queues=((0,), (1,)), upper_bound=2)
    # 36 FLOPs at 8 FLOPS, and twice 6 bytes at 1.5 bytes/s
    assert check(instance, queues).compute_time_s == pytest.approx(4.5 + 8.0)
    assert system.one_device_s(instance.prompt_tokens, instance.output_tokens) == pytest.approx([12.5] * 2)


@pytest.mark.parametrize("cost", ["flops", "roofline"])
def test_tuning_takes_memory_and_a_share_of_all_time_by_hand(cost):
    # the only layer, of 6 weights, of 2 sequences of 3 tokens: 72 + 36 FLOPs forward, twice that backward
    plain_memory, plain_s = _loads(cost=cost)
    tuning = Tuning(window_layers=1, sequences=2, sequence_tokens=3, steps_per_s=16 / (4 * 2 * 3 * (36 + 36)))
    # gradient and moments of 6 weights, and 6 + 2 values of each of 6 tokens
    memory, time_s = _loads(cost=cost, tuning=tuning)
    assert memory == pytest.approx(plain_memory + 10 * 6 + 2 * 6 * (6 + 2))
    busy = tuning.steps_per_s * 3 * 2 * (36 + 36) / 16
    assert time_s == pytest.approx(plain_s / (1 - busy))


def test_a_smaller_window_takes_less_memory_and_less_time():
    llm = Llm(layers=8, hidden_size=64, ffn_size=256, vocabulary=100)
    steps = [Tuning(window, 4, 32, 0.1, rank) for rank in (0, 4) for window in (2, 4, 8)]
    memory = [tuning.memory_bytes(llm) for tuning in steps]
    flops = [tuning.step_flops(llm) for tuning in steps]
    for found in (memory, flops):
        assert found[0] < found[1] < found[2]
        assert found[3] < found[4] < found[5]
        assert all(adapters < weights for weights, adapters in zip(found[:3], found[3:], strict=True))


@pytest.mark.parametrize("kind", KINDS_OF_ALL_COSTS[::16], ids=str)
def test_techniques_that_change_nothing_leave_every_byte_as_it_was(kind):
    instance = random_instance(np.random.default_rng(3), 9, **kind)
    plain = instance.system
    bits = (plain.quantization.weight_bits,) * plain.llm.layers
    idle = dataclasses.replace(
        plain,
        quantization=dataclasses.replace(plain.quantization, weight_bits_by_layer=bits),
        storage=Storage(0.0, 1e6),
    )
    idle_instance = dataclasses.replace(instance, system=idle)
    for scheduler in ("dftsp", "surrogate", "static_batching", "no_batching"):
        assert solve(idle_instance, scheduler) == solve(instance, scheduler)
    schedule = solve(instance, "dftsp")
    lengths, counts = np.unique(instance.output_tokens, return_counts=True)
    assert idle.batch_time_s(512, lengths, counts) == plain.batch_time_s(512, lengths, counts)
    assert idle.resident_bytes == plain.resident_bytes == plain.weight_bytes
    found, before = check(idle_instance, schedule), check(instance, schedule)
    assert found.compute_time_s == before.compute_time_s
    assert found.memory_bytes == pytest.approx(before.memory_bytes, rel=1e-15)


LLM = Llm(layers=4, hidden_size=8, ffn_size=8)
ALL_TIME = "which take all time of the node"
REFUSED = [
    # what of the system is changed, the key, what was found, what is expected
    (
        "quantization",
        "weight_bits_by_layer",
        (4.0, 4.0),
        "a list of 2, expected one number for each of 4 layers",
    ),
    ("storage", "capacity_bytes", 100.0, "100.0, expected at least 3072, the bytes that stay there"),
    ("tuning", "window_layers", 5, "5, expected at most 4, the layers of the model"),
    ("tuning", "steps_per_s", 1e9, f"1000000000.0, expected below 277778, {ALL_TIME}"),
]
PARTS = {
    "quantization": Quantization(16, 16, 1.0, 1.0),
    "storage": Storage(1.0, 1e6),
    "tuning": Tuning(1, 1, 1, 0.0),
}


def _system(llm, part, **fields):
    parts = {"quantization": PARTS["quantization"], part: dataclasses.replace(PARTS[part], **fields)}
    return System(unit_instance([1]).system.slots, llm, edge_node=EdgeNode(1e9, 1e9, 1), **parts)


@pytest.mark.parametrize(("part", "key", "value", "answer"), REFUSED)
def test_what_does_not_fit_the_model_is_refused_by_name(part, key, value, answer):
    with pytest.raises(InputError) as refusal:
        _system(LLM, part, **{key: value})
    assert str(refusal.value) == f"{part}.{key}: found {answer}"


@pytest.mark.parametrize(
    ("part", "fields"), [("quantization", {"adapter_rank": 1}), ("storage", {}), ("tuning", {})]
)
def test_a_model_with_an_encoder_is_refused(part, fields):
    with pytest.raises(
        InputError, match=r"^llm\.encoder_layers: found 1, expected 0: .* need a decoder alone$"
    ):
        _system(dataclasses.replace(LLM, encoder_layers=1), part, **fields)


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("quantization", "weight_bits_by_layer", (4.0, 17.0, 4.0, 4.0)),
        ("quantization", "pruned_share", 1.5),
        ("quantization", "sparse_share", -0.1),
        ("quantization", "adapter_rank", -1),
        ("storage", "share", 1.1),
        ("storage", "ratio", 0.1),
        ("storage", "speed_bytes_per_s", 0.0),
        ("storage", "decoder_bytes_per_s", 0.5),
        ("tuning", "sequences", 0),
        ("tuning", "steps_per_s", -1.0),
    ],
)
def test_values_out_of_range_are_refused_by_name(part, key, value):
    with pytest.raises(InputError, match=rf"^{key}(\[1\])?: found .*, expected a "):
        _system(LLM, part, **{key: value})
