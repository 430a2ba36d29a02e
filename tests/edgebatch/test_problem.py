import copy
import dataclasses
import pickle
import re

import numpy as np
import pytest

from edgebatch import InputError, Instance, Quantization, Schedule, Slots, System, solve
from edgebatch.problem import COLUMNS, fits
from tests.edgebatch.instances import sample, unit_instance, with_system
from tests.edgebatch.oracle import judge
from tests.workflow.checkout import ROOT


def test_an_epoch_is_its_three_slots():
    assert Slots(uplink_s=0.25, compute_s=1.5, downlink_s=0.125).epoch_s == 1.875


def test_slack_is_what_waiting_and_both_transfers_leave_of_the_requirement():
    # 2.0 - 0.5 - 0.25 - 0.25
    instance = dataclasses.replace(unit_instance([1]), latency_s=[2.0], waited_s=[0.5])
    assert instance.slack_s.tolist() == [1.0]


def test_a_deadline_is_the_slack_but_at_most_the_compute_slot():
    assert unit_instance([1, 1, 1], slack_s=[1, 2, 3], compute_s=2).deadline_s.tolist() == [1, 2, 2]


def test_compute_time_alone_by_hand():
    # 16, 36, 40 and 64 FLOPs at 16 FLOPS
    assert unit_instance([1, 1, 2, 2], [1, 2, 1, 2]).alone_s().tolist() == [1, 2.25, 2.5, 4]


def test_a_request_alone_is_padded_to_the_fixed_length():
    # (s', n) = (2, 1) and (2, 2)
    assert unit_instance([1, 1], [1, 2], padding=2).alone_s().tolist() == [2.5, 4]


def test_kv_cache_counts_prompt_and_output():
    # 4 bytes * (3 + 2)
    assert unit_instance([1]).system.kv_bytes(3, 2) == 20


@pytest.mark.parametrize(
    ("at_the_edge", "beyond"),
    [
        ({"slack_s": 1.0}, {"slack_s": 1 - 1e-6}),
        ({"compute_s": 1.0}, {"compute_s": 1 - 1e-6}),
        ({"flops": 16.0}, {"flops": 16 - 1e-5}),
        ({"memory_bytes": 20.0}, {"memory_bytes": 20 - 1e-4}),  # 12 of weights and 8 of cache
        ({"uplink": 1.0}, {"uplink": 1 + 1e-6}),
        ({"downlink": 1.0}, {"downlink": 1 + 1e-6}),
        ({"required": 1.0}, {"required": 1.0, "quantization": Quantization(16, 16, 1.0, 0.999)}),
        ({"padding": 1, "slack_s": 1.0}, {"padding": 2, "slack_s": 1.0}),
    ],
)
def test_a_request_is_servable_up_to_the_edge_of_each_constraint(at_the_edge, beyond):
    tight = {"slack_s": 1.0, "compute_s": 100.0}
    assert unit_instance([1], **tight | at_the_edge).servable().tolist() == [True]
    assert unit_instance([1], **tight | beyond).servable().tolist() == [False]


def test_servable_are_exactly_the_batches_of_one_that_are_feasible():
    for instance in sample(96):
        allows = judge(instance)
        assert instance.servable().tolist() == [allows((i,)) for i in range(instance.size)]


def test_a_load_fits_up_to_a_billionth_above_its_budget():
    assert fits(3.0, 3.0)
    assert fits(3.0 * (1 + 0.9e-9), 3.0)
    assert fits(1 + 1e-9, 1.0)
    assert not fits(3.0 * (1 + 1.1e-9), 3.0)
    assert fits(np.array([1.0, 2.0]), 1.0).tolist() == [True, False]


def test_requests_need_no_names_but_all_of_them_have_one_if_any_has():
    assert unit_instance([1, 1]).ids == ()
    assert unit_instance([1, 1], ids=("a", "b")).ids == ("a", "b")
    with pytest.raises(InputError, match=r"^ids: found 1 names, expected none, or 2"):
        unit_instance([1, 1], ids=("a",))


def test_longest_admitted_lengths_are_never_below_those_at_hand():
    instance = unit_instance([3, 5], [7, 2], longest_prompt_tokens=4, longest_output_tokens=9)
    assert (instance.longest_prompt_tokens, instance.longest_output_tokens) == (5, 9)


def test_arrays_cannot_be_written_to():
    instance = unit_instance([1, 1])
    with pytest.raises(ValueError, match="read-only"):
        instance.prompt_tokens[0] = 5


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_or_pickled_instance_has_the_same_values_and_is_read_only(duplicate):
    instance = sample(1)[0]
    other = duplicate(instance)
    for name in (*COLUMNS, "slack_s", "deadline_s"):
        assert getattr(other, name).tolist() == getattr(instance, name).tolist()
        with pytest.raises(ValueError, match="read-only"):
            getattr(other, name)[0] = 1
    assert (other.system, other.ids) == (instance.system, instance.ids)
    assert other.longest_prompt_tokens == instance.longest_prompt_tokens
    assert other.longest_output_tokens == instance.longest_output_tokens


def test_arrays_are_copies_of_what_was_given():
    given = np.array([0.5])
    instance = dataclasses.replace(unit_instance([1]), uplink_share=given)
    given[0] = 7.0
    assert instance.uplink_share.tolist() == [0.5]


def test_an_instance_without_requests_is_an_instance():
    instance = unit_instance([])
    assert instance.size == 0
    assert instance.servable().shape == instance.slack_s.shape == (0,)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("prompt_tokens", [1, 0], r"prompt_tokens\[1\]: found 0, expected whole numbers at least 1"),
        ("prompt_tokens", [1.5, 1], r"prompt_tokens: found an array of float64, expected whole numbers"),
        ("output_tokens", [-3, 1], r"output_tokens\[0\]: found -3"),
        ("latency_s", [1.0, 0.0], r"latency_s\[1\]: found 0.0, expected numbers above 0"),
        ("latency_s", [np.nan, 1.0], r"latency_s\[0\]: found nan"),
        ("waited_s", [0.0, -1.0], r"waited_s\[1\]: found -1.0, expected numbers at least 0"),
        ("accuracy", [0.0, 1.5], r"accuracy\[1\]: found 1.5, expected numbers in \[0, 1\]"),
        ("uplink_share", [np.inf, 0.0], r"uplink_share\[0\]: found inf"),
        ("downlink_share", ["much", "more"], r"downlink_share: found an array of"),
        ("downlink_share", [0.0], r"downlink_share: found shape \(1,\), expected one value for each of 2"),
        ("uplink_share", [[0.0, 0.0]], r"uplink_share: found shape \(1, 2\)"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused_by_name(column, values, message):
    with pytest.raises(InputError, match=f"^{message}"):
        dataclasses.replace(unit_instance([1, 1]), **{column: values})


def test_one_number_in_place_of_an_array_holds_for_every_request():
    many = unit_instance([1, 2, 3], 4, uplink=0.25)
    one = dataclasses.replace(many, output_tokens=4, latency_s=10.5, waited_s=0, uplink_share=0.25)
    for name in COLUMNS:
        assert np.array_equal(getattr(one, name), getattr(many, name)), name
        assert getattr(one, name).dtype == getattr(many, name).dtype
    assert solve(one) == solve(many)


def test_one_number_is_checked_like_an_array():
    with pytest.raises(InputError, match=r"^waited_s\[0\]: found -1.0, expected numbers at least 0"):
        dataclasses.replace(unit_instance([1, 1]), waited_s=-1.0)
    with pytest.raises(InputError, match=r"^accuracy: found an array of"):
        dataclasses.replace(unit_instance([1, 1]), accuracy="all of it")


def test_the_number_of_requests_is_that_of_their_prompts():
    with pytest.raises(InputError, match=r"^prompt_tokens: found 3, expected an array, one value a request"):
        dataclasses.replace(unit_instance([1, 1]), prompt_tokens=3)


@pytest.mark.parametrize("page", ["README.md", "docs/library.md"])
def test_examples_of_the_documentation_print_what_they_say(capsys, monkeypatch, page):
    monkeypatch.chdir(ROOT)
    space, promises = {}, 0
    # later examples of a page go on from the earlier ones
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S):
        exec(compile(block, page, "exec"), space)
        promised = re.findall(r"^print\(.*\)  # (.*)$", block, re.M)
        assert capsys.readouterr().out.splitlines()[: len(promised)] == promised
        promises += len(promised)
    assert promises > 0


def test_a_length_too_large_to_count_with_is_refused_as_it_was_given():
    with pytest.raises(InputError, match=r"prompt_tokens.*found 10000000000000000000"):
        unit_instance([10**19])


def test_a_prompt_above_the_fixed_padding_is_refused_with_its_place():
    with pytest.raises(
        InputError, match=r"^requests\[1\].prompt_tokens: found 5, expected at most the fixed padding, 4"
    ):
        unit_instance([1, 5, 2], padding=4)


def test_a_fixed_padding_of_zero_is_refused():
    with pytest.raises(InputError, match=r"^padding: found 0"):
        unit_instance([1], padding=0)


def test_values_of_the_system_are_refused_by_name():
    instance = unit_instance([1])
    with pytest.raises(InputError, match=r"^memory_bytes: found -1"):
        with_system(instance, "edge_node", memory_bytes=-1)
    with pytest.raises(InputError, match=r"^devices: found 1.5, expected a whole number at least 1"):
        with_system(instance, "edge_node", devices=1.5)
    with pytest.raises(InputError, match=r"^compute_s: found 0"):
        with_system(instance, "slots", compute_s=0)


def test_a_system_cannot_be_changed():
    system: System = unit_instance([1]).system
    with pytest.raises(dataclasses.FrozenInstanceError):
        system.edge_node.flops = 1.0


def test_an_instance_and_a_schedule_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        unit_instance([1]).latency_s = np.array([5.0])
    with pytest.raises(dataclasses.FrozenInstanceError):
        Schedule((1,)).upper_bound = 5


def test_a_schedule_is_optimal_when_its_size_meets_its_bound():
    assert Schedule((1, 4), upper_bound=2).optimal
    assert not Schedule((1, 4), upper_bound=3).optimal
    assert not Schedule((1,), missed=(4,), upper_bound=2).optimal
    assert Schedule((1,), missed=(4,)).size == 1
    assert Schedule(()).optimal


def test_solve_refuses_an_unknown_scheduler_with_the_nearest_name():
    with pytest.raises(
        InputError, match=r"^scheduler: found 'dftps', expected one of .*did you mean dftsp\?"
    ):
        solve(unit_instance([1]), "dftps")


def test_solve_refuses_an_unknown_option_with_the_nearest_name():
    with pytest.raises(InputError, match=r"^scheduler.prunning: found an unknown.*did you mean pruning\?"):
        solve(unit_instance([1]), "dftsp", prunning=())


def test_solve_is_dftsp_unless_told_otherwise():
    instance: Instance = sample(1)[0]
    assert solve(instance) == solve(instance, "dftsp")
