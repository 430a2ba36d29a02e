"""Steps are the sums of their operators."""

import io

import pandas as pd
import pytest

from edgebatch_artifact.calibration.operator_steps import IN_LAYER, ONCE, step_times

LAYERS = 3
TOKENS = (1, 4, 100)


def _dense():
    names = [*IN_LAYER, *ONCE]
    rows = [(name, tokens, 10.0**place) for place, name in enumerate(names) for tokens in TOKENS]
    return pd.DataFrame(rows, columns=["layer", "tokens", "time_us"])


def _attention(*rows):
    columns = ["prefill_chunk", "kv_prefill", "n_decode", "kv_decode", "time_us"]
    return pd.DataFrame(rows, columns=columns)


PER_SEQUENCE = pd.read_csv(
    io.StringIO("layer,sequences,time_us\nlm_head,1,0.5\nsampler,1,0.25\nlm_head,4,2\nsampler,4,1\n")
)


def _steps(*attention):
    return step_times(_dense(), _attention(*attention), PER_SEQUENCE, LAYERS).to_dict("records")


def _dense_us():
    """The norm twice and six operators more in a layer; two outside."""
    return LAYERS * (2 * 1 + sum(10.0**place for place in range(1, 7))) + 10.0**7 + 10.0**8


def test_a_decoding_step_has_all_layers_and_head_and_sampler_of_each_sequence():
    (step,) = _steps((0, 0, 4, 512, 7.0))
    assert (step["batch"], step["prompt_tokens"], step["output_tokens"]) == (4, 512, 2)
    assert step["token_s"] == pytest.approx((_dense_us() + LAYERS * 7.0 + 3.0) / 1e6)


def test_a_first_stage_has_the_head_of_one_sequence():
    (step,) = _steps((100, 0, 0, 0, 9.0))
    assert (step["batch"], step["prompt_tokens"], step["output_tokens"]) == (1, 100, 1)
    assert step["prompt_s"] == pytest.approx((_dense_us() + LAYERS * 9.0 + 0.75) / 1e6)


@pytest.mark.parametrize(
    "row",
    [(100, 0, 4, 512, 7.0), (100, 64, 0, 0, 7.0), (0, 0, 2, 512, 7.0), (50, 0, 0, 0, 7.0)],
    ids=["mixed", "after a context", "no other operator of this batch", "no other operator of this prompt"],
)
def test_what_is_no_step_of_equal_requests_or_lacks_operators_is_left_out(row):
    assert _steps(row) == []
