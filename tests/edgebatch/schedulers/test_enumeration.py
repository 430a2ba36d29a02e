import pytest

from edgebatch import InputError
from edgebatch.schedulers import enumeration
from tests.edgebatch.instances import sample, unit_instance
from tests.edgebatch.oracle import judge, sample_with_optima


def test_size_is_that_of_the_largest_feasible_subset():
    for instance, optimum in sample_with_optima(128):
        schedule = enumeration.schedule(instance)
        assert (schedule.size, schedule.optimal) == (optimum, True)
        assert judge(instance)(schedule.selected)


def test_it_visits_no_nodes():
    assert enumeration.schedule(sample(1)[0]).nodes_visited == 0


def test_more_requests_than_can_be_enumerated_are_refused():
    with pytest.raises(InputError, match=r"^requests: found 21 that can be served, expected at most 20"):
        enumeration.schedule(unit_instance([1] * 21))


def test_as_many_requests_as_can_be_enumerated_are_not_too_many(monkeypatch):
    monkeypatch.setattr(enumeration, "MOST_REQUESTS", 4)
    assert enumeration.schedule(unit_instance([1] * 4)).size == 4
    with pytest.raises(InputError, match=r"expected at most 4"):
        enumeration.schedule(unit_instance([1] * 5))


def test_requests_that_cannot_be_served_do_not_count():
    instance = unit_instance([1] * 25, slack_s=[10.0] * 5 + [0.5] * 20)
    assert enumeration.schedule(instance).selected == (0, 1, 2, 3, 4)
