"""What the cost model says of measured batches, against a sum over single steps."""

import pytest

from edgebatch.calibration import Measurement, predict
from edgebatch.errors import InputError
from tests.edgebatch.calibration.batches import EFFICIENCIES, LAYERS, SYSTEM, batches, measurement, stepwise


def test_ideal_times_are_those_of_single_steps():
    measurements = batches()
    assert predict(measurements) == pytest.approx([stepwise(m, 1, 1, 1, 0) for m in measurements])


def test_calibrated_times_are_those_of_single_steps():
    measurements = batches()
    constant_s = 1e-3 + LAYERS * EFFICIENCIES["layer_s"]
    expected = [stepwise(m, 0.6 * 0.5, 0.4 * 0.5, 0.8 * 0.5, constant_s) for m in measurements]
    found = predict(measurements, {**EFFICIENCIES, "step_s": 1e-3, "pooled_share": 0.5})
    assert found == pytest.approx(expected)


def test_a_rate_is_the_batch_over_the_time_of_a_step():
    token_s = predict([measurement("token_s", 8, 100, 50)])
    assert predict([measurement("tokens_per_s", 8, 100, 50)]) == pytest.approx(8 / token_s)


def test_the_time_of_the_first_stage_does_not_depend_on_outputs():
    short, long = predict([measurement("prompt_s", 8, 100, n) for n in (1, 500)])
    assert short == long


def test_a_later_step_needs_a_second_token():
    with pytest.raises(InputError, match=r"output_tokens: found 1, expected .* at least 2"):
        measurement("token_s", 1, 100, 1)


def test_measurements_are_of_a_roofline():
    flops = type(SYSTEM)(SYSTEM.slots, SYSTEM.llm, SYSTEM.quantization, SYSTEM.edge_node)
    with pytest.raises(InputError, match=r"system.cost: found 'flops', expected a Roofline"):
        Measurement(flops, "prompt_s", 1, 100, 1, 1.0)
