"""Output lengths that schedulers see."""

import numpy as np
import pytest

from edgebatch.model.output_knowledge import Knowledge, expected_lengths

OUTPUTS = np.random.default_rng(1).integers(1, 1000, 4000)


def _expected(**knowledge):
    return expected_lengths(Knowledge(**knowledge), OUTPUTS, np.random.default_rng(2))


def test_exact_knowledge_is_the_truth():
    assert _expected(kind="exact") is OUTPUTS


def test_a_prediction_errs_by_its_sigma_and_is_right_in_the_median():
    errors = np.log(_expected(kind="predicted", sigma=0.3) / OUTPUTS)
    inside = (OUTPUTS > 50) & (OUTPUTS < 300)  # not cut off at either end
    assert np.median(errors[inside]) == pytest.approx(0, abs=0.03)
    assert errors[inside].std() == pytest.approx(0.3, rel=0.1)


def test_a_margin_is_a_factor_on_what_is_expected():
    doubled = _expected(kind="predicted", sigma=0.0, margin=2.0)
    assert np.array_equal(doubled, np.minimum(2 * OUTPUTS, OUTPUTS.max()))


def test_a_quantile_is_of_earlier_outputs_alone():
    found = _expected(kind="quantile", quantile=0.5)
    changed = OUTPUTS.copy()
    changed[2000:] = 1
    again = expected_lengths(Knowledge("quantile", quantile=0.5), changed, np.random.default_rng(2))
    assert found[0] == OUTPUTS.max()
    assert np.array_equal(found[1:2001], again[1:2001])
    assert abs(found[-1] - np.median(OUTPUTS)) <= 5


def test_the_worst_case_is_the_longest_output():
    assert set(_expected(kind="worst_case")) == {OUTPUTS.max()}
