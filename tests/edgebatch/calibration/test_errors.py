"""Relative errors, summed up."""

import pytest

from edgebatch.calibration import errors_of


def test_errors_are_relative_to_what_was_measured():
    found = errors_of([90.0, 2.2, 1.5], [100.0, 2.0, 1.0])
    assert found.rows == 3
    assert found.median == pytest.approx(0.1)
    assert found.p90 == pytest.approx(0.1 + 0.8 * 0.4)
    assert found.signed == pytest.approx(0.1)


def test_the_sign_is_below_zero_where_predictions_are_too_small():
    assert errors_of([1.0, 1.0], [2.0, 4.0]).signed < 0
