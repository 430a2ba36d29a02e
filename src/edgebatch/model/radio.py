"""The radio link: from a dropped user to the share of the band that its tokens need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.schema import Checked, choice, real

LARGEST_DB = 1000
"""Decibels stop here, on either side, so that floats hold their powers of ten."""


class MeanGain(Checked):
    """Every user has the same mean path gain (linear, not dB)."""

    mean_path_gain: float = real(above=0)

    def path_gain(self, rng: np.random.Generator, users: int) -> NDArray[np.float64]:
        """Mean path gain of each user, linear, shape (users,)."""
        return np.full(users, self.mean_path_gain)


class MacroCell(Checked):
    """Users dropped uniformly in a disc around the base station, with log-normal shadowing.

    Attributes
    ----------
    intercept_db, slope_db
        Path loss at 1 km, and its rise per decade of distance.
    cell_radius_m, min_distance_m
        Bounds of the distance.
    shadowing_db
        Standard deviation of the shadowing.
    """

    intercept_db: float = real(at_least=-LARGEST_DB, at_most=LARGEST_DB)
    slope_db: float = real(above=0, at_most=LARGEST_DB)
    cell_radius_m: float = real(above=0, at_most=1e9)
    min_distance_m: float = real(at_least=1e-3)
    shadowing_db: float = real(at_least=0, at_most=LARGEST_DB)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cell_radius_m < self.min_distance_m:
            raise InputError(
                "cell_radius_m", self.cell_radius_m, f"at least {self.min_distance_m}, min_distance_m"
            )

    def path_gain(self, rng: np.random.Generator, users: int) -> NDArray[np.float64]:
        """Mean path gain of each user, linear, shape (users,)."""
        squared = rng.uniform(self.min_distance_m**2, self.cell_radius_m**2, users)
        shadowing_db = self.shadowing_db * rng.standard_normal(users)
        loss_db = self.intercept_db + self.slope_db * np.log10(np.sqrt(squared) / 1000)
        return np.asarray(10 ** (-(loss_db + shadowing_db) / 10))


class Radio(Checked):
    """Bands, powers and noise.

    Attributes
    ----------
    fading
        ``shared``: one Rayleigh gain for both directions; ``separate``: one for each.
    bits_per_token
        Bits that carry one token in either direction.
    mean_gain, macro_cell
        Where users are; exactly one of them.
    """

    uplink_bandwidth_hz: float = real(at_least=1)
    downlink_bandwidth_hz: float = real(at_least=1)
    user_power_dbm: float = real(at_least=-LARGEST_DB, at_most=LARGEST_DB)
    edge_node_power_dbm: float = real(at_least=-LARGEST_DB, at_most=LARGEST_DB)
    noise_psd_dbm_hz: float = real(at_least=-LARGEST_DB, at_most=LARGEST_DB)
    bits_per_token: float = real(above=0)
    fading: str = choice("shared", "separate")
    mean_gain: MeanGain | None = None
    macro_cell: MacroCell | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.mean_gain is None) == (self.macro_cell is None):
            raise InputError("mean_gain", "both or neither", "exactly one of mean_gain and macro_cell")

    @property
    def placement(self) -> MeanGain | MacroCell:
        """The model of where users are."""
        placement = self.mean_gain or self.macro_cell
        assert placement is not None
        return placement


@dataclass(frozen=True)
class Channel:
    """Channel gains of users over the epochs that they may wait, linear, path loss included.

    Attributes
    ----------
    uplink, downlink
        Shape (users, epochs).
    """

    uplink: NDArray[np.float64]
    downlink: NDArray[np.float64]


def draw_channel(radio: Radio, rng: np.random.Generator, users: int, epochs: int) -> Channel:
    """Rayleigh fading around each user's mean path gain, constant within an epoch."""
    mean = radio.placement.path_gain(rng, users)[:, None]
    uplink = mean * rng.standard_exponential((users, epochs))
    if radio.fading == "shared":
        return Channel(uplink, uplink)
    return Channel(uplink, mean * rng.standard_exponential((users, epochs)))


def rate_bits_per_s(bandwidth_hz: float, power_dbm: float, noise_psd_dbm_hz: float, gain: Any) -> Any:
    """Rate of the whole band at channel gain `gain` (linear): equation (1).

    The noise is that of the full band; a share rho of the band gives rho times this rate.
    """
    noise_mw = bandwidth_hz * 10 ** (noise_psd_dbm_hz / 10)
    with np.errstate(over="ignore"):
        return bandwidth_hz * np.log2(1 + 10 ** (power_dbm / 10) * np.asarray(gain) / noise_mw)


def least_share(bits: Any, slot_s: Any, rate: Any) -> Any:
    """Least share of the band that moves `bits` within the slot: equation (3).

    A rate of next to nothing needs more than any band has: the largest finite share.
    """
    with np.errstate(divide="ignore", over="ignore"):
        return np.minimum(bits / (slot_s * rate), np.finfo(np.float64).max)
