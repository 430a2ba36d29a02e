"""Slots of a band that follow each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch.serving.radio_slots import through_slots
from tests.edgebatch.instances import steady


def _through(ready, share, priority=None, slot=0.5, epoch=2.0):
    ready = np.array(ready, dtype=float)
    share = np.array(share, dtype=float).reshape(ready.size, -1)
    priority = np.arange(ready.size, dtype=float) if priority is None else np.array(priority, dtype=float)
    return through_slots(ready, np.nan_to_num(ready), share, priority, slot, epoch)


def test_a_request_waits_for_the_next_slot_and_is_through_at_its_end():
    assert _through([0.0, 0.1, 0.5], [0.1, 0.1, 0.1]).end_s.tolist() == [0.5, 1.0, 1.0]


def test_who_does_not_fit_waits_for_a_later_slot_and_lets_others_pass():
    passage = _through([0.0, 0.0, 0.0], [0.6, 0.6, 0.4])
    assert passage.end_s.tolist() == [0.5, 1.0, 0.5]
    assert passage.load == pytest.approx((1.0 + 0.6) / 2)


def test_the_least_priority_is_sent_first():
    assert _through([0.0, 0.0], [0.7, 0.7], priority=[2, 1]).end_s.tolist() == [1.0, 0.5]


def test_a_channel_that_needs_more_than_the_band_is_waited_out():
    assert _through([0.0], [[2.0, 0.5]]).end_s.tolist() == [2.5]
    assert _through([0.0], [[2.0, 2.0]]).end_s.tolist() == [np.inf]


def test_who_is_never_ready_is_never_through():
    assert _through([np.nan, 0.0], [0.1, 0.1]).end_s.tolist() == [np.inf, 0.5]


@steady
@given(st.integers(0, 2**32))
def test_no_slot_carries_more_than_the_band_and_nobody_is_through_early(seed):
    rng = np.random.default_rng(seed)
    ready, share = np.sort(rng.uniform(0, 5, 30)), rng.uniform(0, 0.9, (30, 4))
    end = _through(ready, share).end_s
    since = ((end - 0.5) // 2.0 - ready // 2.0).astype(int)
    used = share[np.arange(30), np.minimum(since, 3)]
    slots = np.rint(end / 0.5).astype(int)
    assert (end >= ready + 0.5 - 1e-9).all()
    assert np.bincount(slots, weights=used).max() <= 1 + 1e-9
