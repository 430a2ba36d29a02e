import pandas as pd
import pytest

from edgebatch.metrics import METRICS
from edgebatch_artifact.analysis.gap import with_gap


def _samples(**sizes):
    """Batch sizes by scheduler, one a seed, at each of two loads; the second has twice the sizes."""
    rows = [
        {"load": load, "scheduler": scheduler, "seed": seed, **dict.fromkeys(METRICS, 0.0)}
        | {"batch_size": load * size}
        for load in (1, 2)
        for scheduler, found in sizes.items()
        for seed, size in enumerate(found)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def compared():
    return with_gap(_samples(best=[4, 8, 2], other=[3, 8, 1]), "best")


def test_a_gap_is_the_part_of_the_reference_that_is_missing_seed_by_seed(compared):
    # the mean of gaps, and not the gap of means: 2 of 14
    assert compared["gap"].tolist() == [0.25, 0.0, 0.5] * 2
    assert compared["exact"].tolist() == [0.0, 1.0, 0.0] * 2


def test_the_reference_itself_is_left_out(compared):
    assert set(compared["scheduler"]) == {"other"}


def test_pairs_do_not_depend_on_the_order_of_the_rows(compared):
    shuffled = _samples(best=[4, 8, 2], other=[3, 8, 1]).sample(frac=1, random_state=1)
    again = with_gap(shuffled, "best").sort_values(["load", "seed"], ignore_index=True)
    pd.testing.assert_frame_equal(again, compared)


def test_there_is_no_gap_to_an_empty_batch():
    compared = with_gap(_samples(best=[0, 4], other=[0, 2]), "best")
    assert compared["gap"].tolist() == [0.0, 0.5] * 2
    assert compared["exact"].tolist() == [1.0, 0.0] * 2


def test_a_scheduler_that_serves_more_has_a_gap_below_zero():
    compared = with_gap(_samples(best=[4, 4], other=[5, 4]), "best")
    assert compared["gap"].tolist() == [-0.25, 0.0] * 2
    assert compared["exact"].tolist() == [0.0, 1.0] * 2
