"""Efficiencies are found again from the times that they make."""

import pytest

from edgebatch.calibration import fit, predict
from edgebatch.errors import InputError
from tests.edgebatch.calibration.batches import EFFICIENCIES, batches


def _made_by(efficiencies):
    return batches(values=predict(batches(), efficiencies))


def test_the_efficiencies_that_made_the_times_are_found_again():
    assert fit(_made_by(EFFICIENCIES), list(EFFICIENCIES)) == pytest.approx(EFFICIENCIES, rel=1e-3)


def test_the_order_of_measurements_does_not_matter():
    measurements = _made_by(EFFICIENCIES)
    forwards, backwards = (fit(some, list(EFFICIENCIES)) for some in (measurements, measurements[::-1]))
    assert forwards == pytest.approx(backwards, rel=1e-3)


def test_what_is_given_stays_and_the_rest_is_fitted_beside_it():
    made = {**EFFICIENCIES, "pooled_share": 0.5}
    shares = {name: made[name] for name in made if name.endswith("flops_share")}
    given = {**shares, "bandwidth_share": 0.8}
    found = fit(_made_by(made), ["pooled_share", "layer_s"], given)
    assert found == pytest.approx(made, rel=1e-3)
    assert {name: found[name] for name in given} == given


def test_no_share_is_beyond_the_peak_though_times_are_shorter():
    faster = batches(values=predict(batches()) / 1.5)
    found = fit(faster, ["prefill_flops_share", "decode_flops_share", "bandwidth_share"])
    assert found == pytest.approx(dict.fromkeys(found, 1.0), rel=1e-6)
    assert max(found.values()) <= 1.0


def test_a_few_rows_far_off_move_the_fit_little():
    values = predict(batches(), EFFICIENCIES)
    values[::12] *= 2
    found = fit(batches(values=values), list(EFFICIENCIES))
    assert found == pytest.approx(EFFICIENCIES, rel=0.06)


@pytest.mark.parametrize(
    ("free", "told"),
    [
        (["bandwith_share"], r"free\[0\]: found 'bandwith_share', .*did you mean bandwidth_share"),
        ([], "free: found an empty list"),
        (["layer_s"] * 49, "free: found 49 of them, expected at most 48"),
    ],
)
def test_what_cannot_be_fitted_is_refused(free, told):
    with pytest.raises(InputError, match=told):
        fit(batches(), free)
