import dataclasses
import math
from typing import Any

import pytest

from edgebatch import InputError
from edgebatch.schema import Checked, Range, choice, describe, integer, read, real


class Wheel(Checked):
    radius_m: float = real(above=0, at_most=2)
    spokes: int = integer(at_least=3, at_most=40, default=32)


class Cart(Checked):
    colour: str = choice("red", "green")
    wheels: tuple[Wheel, ...]
    loads_kg: tuple[float, ...] = real(at_least=0, default=())
    spare: Wheel | None = None
    horse: str | Wheel = "none"
    covered: bool = False
    tolls: dict[str, float] | None = None
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)


CART = {"colour": "red", "wheels": [{"radius_m": 1}]}


def _refused(data) -> str:
    with pytest.raises(InputError) as refusal:
        read(Cart, data)
    return str(refusal.value)


def test_nested_data_becomes_nested_objects():
    cart = read(
        Cart,
        {
            **CART,
            "spare": {"radius_m": 0.5, "spokes": 3},
            "loads_kg": [1, 2.5],
            "horse": "Bess",
            "covered": True,
        },
    )
    assert cart == Cart("red", (Wheel(1.0, 32),), (1.0, 2.5), Wheel(0.5, 3), "Bess", True)


def test_defaults_stand_in_for_missing_keys():
    assert read(Cart, CART) == Cart("red", (Wheel(1.0),))


def test_a_whole_number_where_a_number_may_stand_becomes_a_float():
    assert type(read(Wheel, {"radius_m": 1}).radius_m) is float


def test_nothing_may_stand_where_a_value_is_optional():
    assert read(Cart, {**CART, "spare": None}).spare is None


def test_a_mapping_without_fixed_keys_is_read_value_by_value():
    assert read(Cart, {**CART, "notes": {"a": [1], "b": None}}).notes == {"a": [1], "b": None}


def test_a_mapping_in_a_union_is_read_as_its_mapping():
    assert read(Cart, {**CART, "horse": {"radius_m": 2}}).horse == Wheel(2.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "gren"}, "colour: found 'gren', expected one of green, red (did you mean green?)"),
        ({"colour": 3}, "colour: found 3, expected one of green, red"),
        ({"wheels": {}}, "wheels: found a mapping with no keys, expected a list"),
        ({"wheels": [5]}, "wheels[0]: found 5, expected a mapping with radius_m, spokes"),
        ({"wheels": [{}]}, "wheels[0].radius_m: found nothing, expected a number above 0 and at most 2"),
        (
            {"wheels": [{"radius_m": 3}]},
            "wheels[0].radius_m: found 3.0, expected a number above 0 and at most 2",
        ),
        ({"wheels": [{"radius_m": "1"}]}, "wheels[0].radius_m: found '1', expected a number above 0"),
        ({"wheels": [{"radius_m": True}]}, "wheels[0].radius_m: found true, expected a number above 0"),
        (
            {"wheels": [{"radius_m": 1, "spokes": 4.0}]},
            "wheels[0].spokes: found 4.0, expected a whole number",
        ),
        (
            {"wheels": [{"radius_m": 1, "spokes": 2}]},
            "wheels[0].spokes: found 2, expected a whole number at least 3",
        ),
        (
            {"wheels": [{"radius": 1}]},
            "wheels[0].radius: found an unknown key, expected one of radius_m, spokes",
        ),
        ({"loads_kg": [1, -1]}, "loads_kg[1]: found -1.0, expected a number at least 0"),
        ({"loads_kg": [1, "x"]}, "loads_kg[1]: found 'x', expected a number"),
        ({"spare": [1]}, "spare: found a list of 1"),
        ({"horse": {"radius_m": 0}}, "horse.radius_m: found 0.0, expected a number above 0 and at most 2"),
        ({"covered": 1}, "covered: found 1, expected true or false"),
        ({"tolls": {"bridge": "dear"}}, "tolls.bridge: found 'dear', expected a number"),
        ({"notes": [1]}, "notes: found a list of 1, expected a mapping"),
        ({"color": "red"}, "color: found an unknown key, expected one of"),
    ],
)
def test_wrong_data_is_refused_with_the_path_to_it(changes, message):
    assert _refused({**CART, **changes}).startswith(message)


def test_an_unknown_key_is_refused_with_the_nearest_one():
    assert _refused({**CART, "color": "red"}).endswith("(did you mean colour?)")


def test_a_missing_key_is_refused_by_name():
    assert _refused({"wheels": []}) == "colour: found nothing, expected one of green, red"


@pytest.mark.parametrize("data", [None, 5, "text", [CART], True])
def test_what_is_no_mapping_is_refused(data):
    assert "expected a mapping with colour, wheels" in _refused(data)


def test_a_path_starts_where_it_is_told_to():
    with pytest.raises(InputError, match=r"^shed\.wheels\[0\]\.radius_m: found 0"):
        read(Cart, {**CART, "wheels": [{"radius_m": 0}]}, "shed")


def test_objects_are_checked_however_they_are_made():
    with pytest.raises(InputError, match=r"^radius_m: found 0"):
        Wheel(0)
    with pytest.raises(InputError, match=r"^spokes: found 41"):
        dataclasses.replace(Wheel(1.0), spokes=41)


def test_objects_cannot_be_changed():
    wheel = Wheel(1.0)
    with pytest.raises(dataclasses.FrozenInstanceError):
        wheel.radius_m = 2.0


@pytest.mark.parametrize("value", [True, "3", None, math.nan, math.inf, -math.inf, [3]])
def test_no_range_holds_what_is_no_finite_number(value):
    assert value not in Range()


def test_a_range_holds_no_number_beyond_floats():
    assert 10**400 not in Range(above=0)


def test_bounds_are_exclusive_above_and_inclusive_elsewhere():
    assert 0 not in Range(above=0)
    assert 0 in Range(at_least=0)
    assert 1 in Range(at_most=1)
    assert 1.0000001 not in Range(at_most=1)
    assert -1e-9 not in Range(at_least=0)


def test_whole_numbers_are_whole():
    assert 3 in Range(whole=True)
    assert 3.0 not in Range(whole=True)


@pytest.mark.parametrize(
    ("allowed", "text"),
    [
        (Range(), "a number"),
        (Range(above=0), "a number above 0"),
        (Range(at_least=0, at_most=1), "a number at least 0 and at most 1"),
        (Range(at_least=1, whole=True), "a whole number at least 1"),
    ],
)
def test_a_range_says_what_it_holds(allowed, text):
    assert str(allowed) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (0, "0"),
        ("a", "'a'"),
        ([1, 2], "a list of 2"),
        ({"a": 1, "b": 2}, "a mapping with a, b"),
        ({}, "a mapping with no keys"),
    ],
)
def test_a_value_is_described_as_one_would_point_at_it(value, text):
    assert describe(value) == text


@pytest.mark.parametrize("value", ["x" * 5000, {"x" * 5000: 1}, 10**3000], ids=["text", "mapping", "number"])
def test_a_long_value_is_cut_short(value):
    assert len(describe(value)) <= 60


@pytest.mark.parametrize("value", ["a\nb", {"a\nb": 1}, "a\u2028b", {"a\rb": 1}])
def test_a_value_is_described_in_one_line(value):
    assert len(describe(value).splitlines()) == 1
