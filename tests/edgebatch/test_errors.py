import pytest

from edgebatch import InfeasibleSchedule, InputError
from edgebatch.errors import one_of


def test_an_input_error_tells_where_which_key_what_is_there_and_what_may_be():
    error = InputError("slots.compute_s", -1, "a number above 0", where="epoch.json")
    assert str(error) == "epoch.json: slots.compute_s: found -1, expected a number above 0"
    assert (error.where, error.key, error.found) == ("epoch.json", "slots.compute_s", -1)
    assert error.expected == "a number above 0"


def test_an_input_error_leaves_out_what_is_not_known():
    assert str(InputError("llm", 5, "a mapping")) == "llm: found 5, expected a mapping"
    assert str(InputError("", 5, "a mapping", where="a.json")) == "a.json: found 5, expected a mapping"


@pytest.mark.parametrize(
    ("prefix", "key", "path"),
    [
        ("requests[3]", "latency_s", "requests[3].latency_s"),
        ("requests", "[3].latency_s", "requests[3].latency_s"),
        ("slots", "", "slots"),
        ("", "slots", "slots"),
    ],
)
def test_a_prefix_leads_to_the_key(prefix, key, path):
    assert InputError(key, 1, "2").at(prefix=prefix).key == path


def test_the_file_of_an_error_survives_a_prefix():
    error = InputError("flops", 0, "more").at("epoch.json").at(prefix="edge_node")
    assert str(error) == "epoch.json: edge_node.flops: found 0, expected more"


def test_a_near_name_is_suggested():
    assert (
        one_of("latency", ("latency_s", "waited_s")) == "one of latency_s, waited_s (did you mean latency_s?)"
    )


def test_a_name_that_is_near_to_none_has_no_suggestion():
    assert one_of("colour", ("latency_s", "waited_s")) == "one of latency_s, waited_s"


def test_names_are_listed_in_alphabetical_order():
    assert one_of("?", ("b", "c", "a")) == "one of a, b, c"


def test_an_input_error_is_a_value_error_and_an_infeasible_schedule_is_a_defect():
    assert issubclass(InputError, ValueError)
    assert issubclass(InfeasibleSchedule, AssertionError)
