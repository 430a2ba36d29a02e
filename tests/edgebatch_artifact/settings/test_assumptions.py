"""Draws of all assumptions together."""

import numpy as np
import pytest

from edgebatch_artifact.settings.assumptions import draw_assumptions
from edgebatch_artifact.settings.experiments.expand import expand_nominal
from tests.workflow.checkout import ROOT


@pytest.fixture(scope="module")
def assumptions():
    """Those of conf/assumptions.yaml."""
    return expand_nominal(ROOT / "conf").assumptions


def test_draws_stay_within_their_ranges_one_in_each_stratum(assumptions):
    number = 16
    draws = draw_assumptions(assumptions, number, seed=3)
    assert len(draws) == number
    drawn = [a.entry for a in assumptions if a.entry.range or a.entry.choices]
    assert all(list(draw) == [entry.key for entry in drawn] for draw in draws)
    for entry in drawn:
        values = np.array([draw[entry.key] for draw in draws])
        if entry.choices:
            assert np.unique(values, return_counts=True)[1].tolist() == [number // 2] * 2
            continue
        low, high = entry.range
        assert low <= values.min()
        assert values.max() <= high
        if entry.scale == "whole":
            assert values.dtype.kind == "i"
            continue
        share = (
            np.log(values / low) / np.log(high / low)
            if entry.scale == "log"
            else (values - low) / (high - low)
        )
        assert sorted((share * number).astype(int)) == list(range(number)), entry.key


def test_draws_depend_on_the_seed_alone(assumptions):
    assert draw_assumptions(assumptions, 4, 1) == draw_assumptions(assumptions, 4, 1)
    assert draw_assumptions(assumptions, 4, 1) != draw_assumptions(assumptions, 4, 2)


def test_every_recalled_or_chosen_assumption_is_drawn(assumptions):
    for valued in assumptions:
        drawn = bool(valued.entry.range or valued.entry.choices)
        assert drawn == (valued.entry.certainty in ("recalled", "chosen")), valued.entry.key
