"""Users dropped in the cells of several base stations, and the shares that their tokens need at each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgebatch.errors import InputError
from edgebatch.model.radio import Channel, MacroCell, Radio, least_share, rate_bits_per_s
from edgebatch.model.system import Slots
from edgebatch.network.problem import OUT_OF_REACH


def hexagonal_sites(nodes: int, distance_m: float) -> NDArray[np.float64]:
    """Positions of base stations in a hexagonal grid, from the centre outwards, in m, shape (nodes, 2).

    Parameters
    ----------
    distance_m
        Distance of neighbours.
    """
    reach = 1 + math.ceil(math.sqrt(nodes))
    row, column = np.meshgrid(*2 * [np.arange(-reach, reach + 1)], indexing="ij")
    grid = np.stack([column + row / 2, row * math.sqrt(0.75)], axis=-1).reshape(-1, 2) * distance_m
    angle = np.round(np.arctan2(grid[:, 1], grid[:, 0]), 9)
    order = np.lexsort((angle, np.round(np.hypot(*grid.T), 6)))
    return np.asarray(grid[order[:nodes]])


def drop_users(cell: MacroCell, sites: NDArray[np.float64], rng: np.random.Generator, users: int) -> Any:
    """Positions of users, uniform in the disc of a cell that is drawn for each, in m, shape (users, 2)."""
    home = sites[rng.integers(len(sites), size=users)]
    distance_m = np.sqrt(rng.uniform(cell.min_distance_m**2, cell.cell_radius_m**2, users))
    angle = rng.uniform(0, 2 * np.pi, users)
    return home + distance_m[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def draw_channels(
    radio: Radio, sites: NDArray[np.float64], rng: np.random.Generator, users: int, epochs: int
) -> Channel:
    """Channels of users that are dropped in the cells, to every base station.

    The path loss follows the distance, as of `MacroCell`; shadowing is drawn for each user and station, and
    Rayleigh fading for each epoch too.

    Returns
    -------
    Channel
        Gains of shape (nodes, users, epochs), linear.

    Raises
    ------
    InputError
        For a radio whose users have no place.
    """
    cell = radio.macro_cell
    if cell is None:
        raise InputError("radio.macro_cell", "nothing", "a cell, as distances to several nodes need one")
    users_m = drop_users(cell, sites, rng, users)
    apart_m = np.linalg.norm(users_m[None] - sites[:, None], axis=-1)
    shadowing_db = cell.shadowing_db * rng.standard_normal(apart_m.shape)
    loss_db = cell.intercept_db + cell.slope_db * np.log10(np.maximum(apart_m, cell.min_distance_m) / 1000)
    mean = (10 ** (-(loss_db + shadowing_db) / 10))[..., None]
    uplink = mean * rng.standard_exponential((*apart_m.shape, epochs))
    if radio.fading == "shared":
        return Channel(uplink, uplink)
    return Channel(uplink, mean * rng.standard_exponential((*apart_m.shape, epochs)))


def shares(
    radio: Radio,
    slots: Sequence[Slots],
    channel: Channel,
    uplink_bits: NDArray[np.floating[Any]],
    downlink_bits: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Least shares of both bands of each node, equation (3); out of reach where one is above a whole band.

    Parameters
    ----------
    slots
        Those of each node.
    channel
        As of `draw_channels`.
    uplink_bits, downlink_bits
        What each request sends and receives, shape (users,).

    Returns
    -------
    uplink, downlink
        Shape (nodes, users, epochs).
    """
    noise = radio.noise_psd_dbm_hz
    up = rate_bits_per_s(radio.uplink_bandwidth_hz, radio.user_power_dbm, noise, channel.uplink)
    down = rate_bits_per_s(radio.downlink_bandwidth_hz, radio.edge_node_power_dbm, noise, channel.downlink)
    uplink_s, downlink_s = (
        np.array([getattr(of_node, name) for of_node in slots])[:, None, None]
        for name in ("uplink_s", "downlink_s")
    )
    uplink = least_share(uplink_bits[:, None], uplink_s, up)
    downlink = least_share(downlink_bits[:, None], downlink_s, down)
    beyond = (uplink > 1) | (downlink > 1)
    return np.where(beyond, OUT_OF_REACH, uplink), np.where(beyond, OUT_OF_REACH, downlink)
