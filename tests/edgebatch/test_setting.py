"""A setting: its name by content, and what it refuses."""

import dataclasses
import json

import pytest

from edgebatch import InputError, schedulers
from edgebatch.setting import SchedulerChoice, Setting, Simulation, identity, read_setting
from tests.edgebatch.instances import unit_instance
from tests.edgebatch.model.test_radio import a_radio
from tests.edgebatch.model.test_workload import a_workload


@pytest.fixture
def setting():
    """A setting of no batching, simulated for three seeds of two epochs."""
    choice = SchedulerChoice("no_batching", schedulers.options("no_batching"))
    return Setting(unit_instance([1]).system, a_radio(), a_workload(), choice, Simulation(epochs=2, seeds=3))


def _turned(node):
    """The same mappings with their keys in the other order."""
    return {key: _turned(node[key]) for key in reversed(node)} if isinstance(node, dict) else node


def test_the_id_of_a_setting_does_not_depend_on_the_order_of_keys(setting):
    content = json.loads(json.dumps(setting.as_dict()))
    assert list(_turned(content)) != list(content)
    assert identity(_turned(content)) == identity(content) == setting.id()
    assert len(setting.id()) == 12


def test_another_value_is_another_id(setting):
    others = [
        dataclasses.replace(setting, simulation=Simulation(epochs=2, seeds=4)),
        dataclasses.replace(setting, radio=a_radio(bits_per_token=17.0)),
    ]
    assert len({setting.id(), *(other.id() for other in others)}) == 3


def test_a_setting_is_read_back_from_json(setting):
    assert read_setting(json.loads(json.dumps(setting.as_dict())), "file") == setting


def test_a_setting_that_cannot_be_read_is_refused_with_its_file(setting):
    content = setting.as_dict() | {"simulation": {"epochs": 0, "seeds": 3}}
    with pytest.raises(InputError, match=r"^file: simulation\.epochs: found 0"):
        read_setting(content, "file")


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("dftps", {}, r"^name: found 'dftps', .*did you mean dftsp\?"),
        ("enumeration", {"limit": 1}, r"^options\.limit: found an unknown option"),
        ("static_batching", {"batch_size": 2}, r"^options\.admission: found nothing, expected a value"),
    ],
)
def test_a_choice_of_a_scheduler_has_all_of_its_options_and_no_others(name, options, line):
    with pytest.raises(InputError, match=line):
        SchedulerChoice(name, options)


def test_the_options_of_a_choice_reach_the_scheduler():
    instance = unit_instance([1, 1, 1])
    choice = SchedulerChoice("static_batching", {"batch_size": 2, "admission": "feasible"})
    assert choice.function()(instance) == schedulers.get("static_batching")(instance, batch_size=2)
    assert choice.function()(instance).size == 2


@pytest.mark.parametrize(
    ("change", "key"), [({"arrival_rate": 1e9}, "arrival_rate"), ({"mean_s": 1e12}, "latency.mean_s")]
)
def test_a_run_that_no_memory_holds_is_refused(setting, change, key):
    workload = setting.workload
    if "mean_s" in change:
        change = {"latency": dataclasses.replace(workload.latency, **change)}
    with pytest.raises(InputError, match=rf"^workload\.{key}: found"):
        dataclasses.replace(setting, workload=dataclasses.replace(workload, **change))
