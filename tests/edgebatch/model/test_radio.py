import dataclasses

import numpy as np
import pytest

from edgebatch import InputError
from edgebatch.model.radio import MacroCell, MeanGain, Radio, draw_channel, least_share, rate_bits_per_s

MACRO = MacroCell(
    intercept_db=128.1, slope_db=37.6, cell_radius_m=500.0, min_distance_m=35.0, shadowing_db=0.0
)


def a_radio(**changes) -> Radio:
    nominal = {
        "uplink_bandwidth_hz": 20e6,
        "downlink_bandwidth_hz": 20e6,
        "user_power_dbm": 20,
        "edge_node_power_dbm": 43,
        "noise_psd_dbm_hz": -174,
        "bits_per_token": 16,
        "fading": "shared",
        "mean_gain": MeanGain(1e-3),
    }
    return Radio(**nominal | changes)


def _rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize(("gain", "bits_per_s_hz"), [(1, 1), (3, 2), (1023, 10), (0, 0)])
def test_rate_by_hand(gain, bits_per_s_hz):
    # 0 dBm is 1 mW; -60 dBm/Hz over 1 MHz is 1 mW of noise; so the signal-to-noise ratio is the gain
    assert rate_bits_per_s(1e6, 0, -60, gain) == pytest.approx(bits_per_s_hz * 1e6, rel=1e-12)


def test_ten_db_are_a_factor_of_ten_in_power_and_in_noise():
    # 10 mW over 0.1 mW of noise at gain 0.15: ratio 15, 4 bits
    assert rate_bits_per_s(1e6, 10, -70, 0.15) == pytest.approx(4e6, rel=1e-12)


def test_noise_is_that_of_the_whole_band():
    # four times the band, four times the noise: log2(1 + 12/4) = 2 bits
    assert rate_bits_per_s(4e6, 0, -60, 12) == pytest.approx(8e6, rel=1e-12)


def test_least_share_by_hand():
    # 512 tokens of 16 bits are 8192 bits; 0.25 s at 2 Mbit/s move 500000
    assert least_share(512 * 16, 0.25, 2e6) == 8192 / 500_000 == 0.016384


def test_a_long_prompt_needs_a_share_near_5e_5_in_the_nominal_setting():
    rate = rate_bits_per_s(20e6, 20, -174, 1e-3)
    assert least_share(512 * 16, 0.25, rate) == pytest.approx(5e-5, rel=0.1)


def test_shared_fading_is_one_gain_for_both_directions():
    channel = draw_channel(a_radio(fading="shared"), _rng(), 50, 3)
    assert channel.uplink.shape == (50, 3)
    assert (channel.uplink == channel.downlink).all()


def test_separate_fading_is_a_gain_for_each_direction():
    channel = draw_channel(a_radio(fading="separate"), _rng(), 2000, 3)
    assert channel.uplink.shape == channel.downlink.shape == (2000, 3)
    assert abs(np.corrcoef(channel.uplink.ravel(), channel.downlink.ravel())[0, 1]) < 0.05


@pytest.mark.parametrize("fading", ["shared", "separate"])
@pytest.mark.parametrize("direction", ["uplink", "downlink"])
def test_fading_is_exponential_around_the_mean_gain(fading, direction):
    gains = getattr(draw_channel(a_radio(fading=fading), _rng(), 20_000, 1), direction) / 1e-3
    assert gains.min() > 0
    assert gains.mean() == pytest.approx(1, abs=0.03)
    assert gains.std() == pytest.approx(1, abs=0.03)
    assert (gains > 1).mean() == pytest.approx(np.exp(-1), abs=0.01)


def test_fading_changes_from_epoch_to_epoch_around_the_same_path_gain():
    radio = a_radio(mean_gain=None, macro_cell=MACRO)
    gains = draw_channel(radio, _rng(), 4, 5000).uplink
    mean = MACRO.path_gain(_rng(), 4)
    assert len(np.unique(gains)) == gains.size
    assert gains.mean(axis=1) == pytest.approx(mean, rel=0.06)


def _distance_m(gain):
    return 1000 * 10 ** ((-10 * np.log10(gain) - 128.1) / 37.6)


def test_users_of_a_macro_cell_stand_between_its_two_radii():
    distance_m = _distance_m(MACRO.path_gain(_rng(), 20_000))
    assert 35 * (1 - 1e-9) <= distance_m.min() < 45
    assert 495 < distance_m.max() <= 500 * (1 + 1e-9)


def test_users_of_a_macro_cell_are_uniform_over_its_area():
    squared = _distance_m(MACRO.path_gain(_rng(), 20_000)) ** 2
    within = (squared - 35**2) / (500**2 - 35**2)
    assert np.histogram(within, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 2000), rel=0.1)


def test_path_loss_at_one_kilometre_is_the_intercept_and_rises_by_the_slope_a_decade():
    for radius_m, loss_db in [(1000, 128.1), (100, 128.1 - 37.6), (10_000, 128.1 + 37.6)]:
        ring = MacroCell(128.1, 37.6, cell_radius_m=radius_m, min_distance_m=radius_m, shadowing_db=0.0)
        assert -10 * np.log10(ring.path_gain(_rng(), 3)) == pytest.approx(np.full(3, loss_db), abs=1e-9)


def test_shadowing_is_normal_in_db_and_leaves_the_distances_alone():
    shadowed = MacroCell(128.1, 37.6, 500.0, 35.0, shadowing_db=8.0)
    shadow_db = 10 * np.log10(shadowed.path_gain(_rng(), 20_000) / MACRO.path_gain(_rng(), 20_000))
    assert shadow_db.mean() == pytest.approx(0, abs=0.2)
    assert shadow_db.std() == pytest.approx(8, abs=0.2)


def test_a_mean_gain_is_the_same_for_every_user():
    assert MeanGain(1e-3).path_gain(_rng(), 3).tolist() == [1e-3] * 3


@pytest.mark.parametrize("placement", [{"mean_gain": None}, {"macro_cell": MACRO}])
def test_users_are_placed_in_exactly_one_way(placement):
    with pytest.raises(InputError, match="expected exactly one of mean_gain and macro_cell"):
        a_radio(**placement)


def test_an_unknown_fading_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"^fading: found 'share', .*did you mean shared\?"):
        a_radio(fading="share")


@pytest.mark.parametrize("key", ["uplink_bandwidth_hz", "downlink_bandwidth_hz", "bits_per_token"])
def test_a_band_or_a_token_of_nothing_is_refused_by_name(key):
    with pytest.raises(InputError, match=f"^{key}: found 0, expected a number (above 0|at least 1)"):
        a_radio(**{key: 0})


@pytest.mark.parametrize(
    ("key", "wrong"), [("slope_db", 0), ("cell_radius_m", 0), ("min_distance_m", 0), ("shadowing_db", -1)]
)
def test_a_cell_without_extent_is_refused_by_name(key, wrong):
    with pytest.raises(InputError, match=rf"^{key}: found {wrong}"):
        dataclasses.replace(MACRO, **{key: wrong})


@pytest.mark.parametrize("gain", [0, -1e-3, np.inf])
def test_a_mean_gain_that_is_no_gain_is_refused(gain):
    with pytest.raises(InputError, match=rf"^mean_path_gain: found {gain}, expected a number above 0"):
        MeanGain(gain)


def test_a_cell_smaller_than_its_least_distance_is_refused():
    with pytest.raises(InputError, match=r"cell_radius_m|min_distance_m"):
        MacroCell(128.1, 37.6, cell_radius_m=10.0, min_distance_m=35.0, shadowing_db=8.0)
