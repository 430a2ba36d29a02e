import numpy as np
import pytest

from edgebatch import InputError, Slots
from edgebatch.model.output_knowledge import Knowledge
from edgebatch.model.radio import MacroCell
from edgebatch.model.trace import Trace, TraceFile
from edgebatch.model.workload import Accuracy, Latency, Network, Slo, Workload, draw_requests
from tests.edgebatch.model.test_radio import a_radio

SLOTS = Slots(uplink_s=0.25, compute_s=1.5, downlink_s=0.25)
REQUIREMENTS = ("arrival_s", "prompt_tokens", "output_tokens", "latency_s", "accuracy")
EVERYTHING = (*REQUIREMENTS, "uplink_share", "downlink_share")


def a_workload(**changes) -> Workload:
    nominal = {
        "arrival_rate": 20.0,
        "prompt_tokens": (128, 256, 512),
        "output_tokens": (128, 256, 512),
        "payload_bits": 0.0,
        "latency": Latency(mean_s=1.25, relative_half_width=0.6),
        "accuracy": Accuracy(low=0.0, high=1.0),
    }
    return Workload(**nominal | changes)


def _draw(seed=1, epochs=50, radio=None, slots=SLOTS, **workload):
    return draw_requests(a_workload(**workload), radio or a_radio(), slots, epochs, seed)


def _same(a, b, names) -> list[bool]:
    return [getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in names]


def test_the_same_seed_gives_the_same_bytes():
    assert all(_same(_draw(seed=7), _draw(seed=7), EVERYTHING))


def test_another_seed_gives_other_requests():
    assert not any(_same(_draw(seed=7), _draw(seed=8), EVERYTHING))


def test_output_lengths_leave_arrivals_prompts_and_uplinks_alone():
    a, b = _draw(), _draw(output_tokens=(1, 2, 3, 4, 5))
    assert all(_same(a, b, ("arrival_s", "prompt_tokens", "uplink_share")))
    assert not np.array_equal(a.output_tokens, b.output_tokens)


def test_requirements_leave_arrivals_lengths_and_channels_alone():
    a, b = _draw(), _draw(accuracy=Accuracy(0.5, 0.6), latency=Latency(1.5, 0.3))
    unchanged = ("arrival_s", "prompt_tokens", "output_tokens", "uplink_share", "downlink_share")
    assert all(_same(a, b, unchanged))
    assert not any(_same(a, b, ("latency_s", "accuracy")))


@pytest.mark.parametrize(
    "radio",
    [
        a_radio(fading="separate"),
        a_radio(mean_gain=None, macro_cell=MacroCell(128.1, 37.6, 500.0, 35.0, 8.0)),
        a_radio(bits_per_token=44),
    ],
)
def test_the_radio_leaves_arrivals_and_requirements_alone(radio):
    a, b = _draw(), _draw(radio=radio)
    assert all(_same(a, b, REQUIREMENTS))
    assert not _same(a, b, ["downlink_share"])[0]


def test_separate_fading_leaves_the_uplink_alone():
    assert _same(_draw(), _draw(radio=a_radio(fading="separate")), ["uplink_share", "downlink_share"]) == [
        True,
        False,
    ]


def test_the_number_of_arrivals_is_poisson_around_rate_times_time():
    per_epoch = 20 * 2.0
    numbers = [_draw(seed=seed, epochs=5).arrival_s.size for seed in range(300)]
    assert np.mean(numbers) == pytest.approx(5 * per_epoch, rel=0.01)
    assert np.var(numbers) == pytest.approx(5 * per_epoch, rel=0.25)


def test_arrivals_are_in_order_and_uniform_over_the_epochs():
    arrival_s = _draw(epochs=500).arrival_s
    assert (np.diff(arrival_s) >= 0).all()
    assert arrival_s[0] >= 0
    assert arrival_s[-1] < 500 * 2.0
    assert np.histogram(arrival_s, bins=10, range=(0, 1000))[0] == pytest.approx(np.full(10, 2000), rel=0.1)


def test_each_length_is_equally_likely():
    requests = _draw(epochs=500)
    for tokens in (requests.prompt_tokens, requests.output_tokens):
        values, numbers = np.unique(tokens, return_counts=True)
        assert values.tolist() == [128, 256, 512]
        assert numbers / tokens.size == pytest.approx(np.full(3, 1 / 3), abs=0.02)


def test_requirements_fill_their_ranges():
    # 1.25 (1 -+ 0.6) = 0.5 ... 2.0
    requests = _draw(epochs=500, accuracy=Accuracy(0.2, 0.6))
    for values, low, high in ((requests.latency_s, 0.5, 2.0), (requests.accuracy, 0.2, 0.6)):
        assert low <= values.min() < low + 0.01
        assert high - 0.01 < values.max() <= high
        assert values.mean() == pytest.approx((low + high) / 2, rel=0.02)


def test_a_request_has_a_channel_in_every_epoch_that_it_can_wait_for():
    # it waits less than 1.25 * 1.6 = 2 s: up to 3 further epochs of 0.5 s after its first
    slots = Slots(0.125, 0.25, 0.125)
    assert _draw(slots=slots, epochs=20).uplink_share.shape[1] >= 1 + 3


def test_shares_move_the_tokens_within_the_slots():
    # same gain, powers and bands in both directions: u / v = (s / T_U) / (n / T_D)
    radio, slots = a_radio(user_power_dbm=30, edge_node_power_dbm=30), Slots(0.5, 1.5, 0.25)
    requests = _draw(radio=radio, slots=slots)
    ratio = (requests.prompt_tokens / 0.5) / (requests.output_tokens / 0.25)
    columns = requests.uplink_share.shape[1]
    assert requests.uplink_share / requests.downlink_share == pytest.approx(
        np.repeat(ratio[:, None], columns, axis=1), rel=1e-12
    )


def test_twice_the_bits_per_token_take_twice_the_shares():
    a, b = _draw(), _draw(radio=a_radio(bits_per_token=32))
    assert b.uplink_share == pytest.approx(2 * a.uplink_share, rel=1e-12)
    assert b.downlink_share == pytest.approx(2 * a.downlink_share, rel=1e-12)


def test_a_payload_loads_the_uplink_alone():
    # 16 bits a token: a payload of 1600 bits is worth 100 tokens
    a, b = _draw(), _draw(payload_bits=1600.0)
    factor = (a.prompt_tokens + 100) / a.prompt_tokens
    assert b.uplink_share == pytest.approx(a.uplink_share * factor[:, None], rel=1e-12)
    assert _same(a, b, ["downlink_share"]) == [True]


def test_a_run_without_arrivals_is_empty():
    requests = _draw(epochs=1, arrival_rate=1e-9)
    assert requests.arrival_s.shape == (0,)
    assert requests.uplink_share.shape[0] == 0


def test_an_accuracy_range_upside_down_is_refused():
    with pytest.raises(InputError, match=r"^low: found 0.9, expected at most high, 0.1"):
        Accuracy(low=0.9, high=0.1)


@pytest.mark.parametrize("key", ["prompt_tokens", "output_tokens"])
def test_an_empty_list_of_lengths_is_refused(key):
    with pytest.raises(InputError, match=f"^{key}: found an empty list, expected at least one length"):
        a_workload(**{key: ()})


@pytest.mark.parametrize("key", ["prompt_tokens", "output_tokens"])
def test_a_length_of_zero_is_refused_with_its_place(key):
    with pytest.raises(InputError, match=rf"^{key}\[1\]: found 0"):
        a_workload(**{key: (128, 0)})


@pytest.mark.parametrize(("key", "wrong"), [("arrival_rate", 0), ("payload_bits", -1)])
def test_rates_and_payloads_below_their_range_are_refused(key, wrong):
    with pytest.raises(InputError, match=f"^{key}: found {wrong}"):
        a_workload(**{key: wrong})


def test_a_latency_spread_beyond_its_mean_is_refused():
    with pytest.raises(InputError, match=r"^relative_half_width: found 1.5"):
        Latency(mean_s=1.0, relative_half_width=1.5)


def test_gamma_arrivals_have_the_rate_and_the_variation_that_are_asked_for():
    for cv in (0.5, 3.0):
        arrival_s = _draw(epochs=5000, arrival_cv=cv, arrival_rate=2.0).arrival_s
        between_s = np.diff(arrival_s)
        assert between_s.mean() == pytest.approx(0.5, rel=0.1)
        assert between_s.std() / between_s.mean() == pytest.approx(cv, rel=0.1)


def test_an_objective_grows_with_the_answer_and_patience_scales_it():
    requests = _draw(slo=Slo(ttft_s=1.0, tpot_s=0.05), patience=2.0)
    assert requests.latency_s == pytest.approx(2 * (1 + 0.05 * requests.output_tokens))


def test_the_network_takes_its_time_off_every_requirement():
    near, far = _draw(), _draw(network=Network(delay_s=0.1, jitter_s=0.2))
    assert ((far.network_s >= 0.1) & (far.network_s <= 0.3)).all()
    assert far.latency_s == pytest.approx(near.latency_s - far.network_s)
    assert np.array_equal(near.network_s, np.zeros(near.arrival_s.size))


def test_knowledge_changes_what_is_expected_and_nothing_else():
    known, guessed = _draw(), _draw(knowledge=Knowledge("predicted", sigma=1.0))
    assert all(_same(known, guessed, EVERYTHING))
    assert not np.array_equal(guessed.expected_output_tokens, guessed.output_tokens)


def test_a_trace_gives_arrivals_and_lengths_and_the_seed_its_window():
    rng = np.random.default_rng(0)
    trace = Trace(np.arange(500.0), rng.integers(1, 99, 500), rng.integers(1, 99, 500))
    workload = a_workload(arrival_rate=None, prompt_tokens=(), output_tokens=(), trace=TraceFile("t", "0"))
    first, second = (draw_requests(workload, a_radio(), SLOTS, 40, seed, trace) for seed in (1, 2))
    assert first.arrival_s.size == pytest.approx(80, abs=1)
    assert not np.array_equal(first.prompt_tokens, second.prompt_tokens)
    pairs = set(zip(trace.prompt_tokens.tolist(), trace.output_tokens.tolist(), strict=True))
    assert set(zip(first.prompt_tokens.tolist(), first.output_tokens.tolist(), strict=True)) <= pairs


def test_a_rate_may_be_left_out_for_a_trace_alone():
    with pytest.raises(InputError, match=r"^arrival_rate: found nothing"):
        a_workload(arrival_rate=None)
