import numpy as np
import pytest

from edgebatch_artifact.analysis.statistics import estimate, proportion


def test_the_interval_is_students():
    # t(0.975, 4 degrees of freedom) = 2.776445; standard deviation of 1..5 is sqrt(2.5)
    found = estimate([1, 2, 3, 4, 5], 0.95)
    assert found.mean == 3
    assert found.half_width == pytest.approx(2.776445 * (2.5 / 5) ** 0.5, rel=1e-6)
    assert (found.low, found.high) == (3 - found.half_width, 3 + found.half_width)


def test_the_interval_of_two_values_is_wide():
    # t(0.975, 1 degree of freedom) = 12.7062; standard error of 0 and 1 is 0.5
    assert estimate([0, 1], 0.95).half_width == pytest.approx(12.7062 / 2, rel=1e-5)


def test_more_confidence_is_a_wider_interval():
    # t(0.95, 4) = 2.131847, t(0.995, 4) = 4.604095
    values = [1, 2, 3, 4, 5]
    assert estimate(values, 0.9).half_width == pytest.approx(2.131847 * 0.5**0.5, rel=1e-6)
    assert estimate(values, 0.99).half_width == pytest.approx(4.604095 * 0.5**0.5, rel=1e-6)


@pytest.mark.parametrize("values", [[4, 4, 4], [0.1] * 3, [1 / 31] * 10])
def test_equal_values_have_no_width(values):
    # the standard deviation of the latter two is not 0 in floats
    found = estimate(values, 0.95)
    assert (found.mean, found.half_width) == (values[0], 0)


@pytest.mark.parametrize("values", [[], [1]])
def test_fewer_than_two_values_have_no_interval(values):
    with pytest.raises(ValueError, match="two values or more"):
        estimate(values, 0.95)


@pytest.mark.parametrize(("size", "confidence"), [(3, 0.95), (20, 0.95), (20, 0.8)])
def test_the_interval_covers_the_mean_as_often_as_it_says(size, confidence):
    trials = 2000
    samples = np.random.default_rng(5).normal(7, 3, (trials, size))
    covered = sum(found.low <= 7 <= found.high for found in (estimate(s, confidence) for s in samples))
    spread = (confidence * (1 - confidence) / trials) ** 0.5
    assert abs(covered / trials - confidence) < 4 * spread


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        # closed forms: 1 - 0.025^(1/n) if all or none succeed
        (0, 10, 0, 1 - 0.025**0.1),
        (10, 10, 0.025**0.1, 1),
        (4, 4, 0.025**0.25, 1),
        # Clopper and Pearson's interval of 5 of 10 and of 1 of 20, as tables print it
        (5, 10, 0.1871, 0.8129),
        (1, 20, 0.0013, 0.2487),
    ],
)
def test_the_interval_of_a_share_is_that_of_clopper_and_pearson(successes, trials, low, high):
    assert proportion(successes, trials, 0.95) == pytest.approx((low, high), abs=5e-5)
