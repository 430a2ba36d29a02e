"""Windows of recorded requests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgebatch.model.trace import Trace
from tests.edgebatch.instances import steady

TRACE = Trace(np.array([5.0, 6.0, 8.0, 9.0]), np.array([1, 2, 3, 4]), np.array([10, 20, 30, 40]))


def test_a_window_from_the_start_is_the_trace_itself():
    window = TRACE.window(4.5, None, 0.0)
    assert window.arrival_s.tolist() == [0, 1, 3, 4]
    assert window.prompt_tokens.tolist() == [1, 2, 3, 4]


def test_behind_its_end_a_trace_begins_anew():
    # the span is 4 s and a mean interval: 16 / 3 s
    window = TRACE.window(6.0, None, 0.5)
    assert window.prompt_tokens.tolist() == [3, 4, 1, 2, 3]
    assert np.diff(window.arrival_s) == pytest.approx([1, 4 / 3, 1, 2])


@steady
@given(st.floats(0, 1, exclude_max=True), st.floats(0.1, 50), st.floats(1, 100))
def test_a_scaled_window_has_the_rate_that_is_asked_for(start, rate, rounds):
    horizon_s = rounds * 4 / rate
    window = TRACE.window(horizon_s, rate, start)
    assert abs(window.arrival_s.size - rate * horizon_s) <= 0.5
    assert (np.diff(window.arrival_s) >= 0).all()
    assert ((window.arrival_s >= 0) & (window.arrival_s < horizon_s)).all()
    between_s = np.diff(window.arrival_s) * rate
    assert between_s.max(initial=0) <= 3 * between_s.min(initial=np.inf)
    assert (window.output_tokens == 10 * window.prompt_tokens).all()
