"""Networks for benchmarks: users dropped in the cells of heterogeneous nodes, in one epoch."""

from __future__ import annotations

import numpy as np

from edgebatch import EdgeNode, Llm, Quantization, Slots, System
from edgebatch.model.radio import MacroCell, Radio
from edgebatch.network.cells import draw_channels, hexagonal_sites, shares
from edgebatch.network.problem import Network, Node

SIZES = ((3, 100), (5, 500), (10, 1000), (20, 2000))
"""Nodes and requests."""

REGIMES = ("compute", "uplink", "mixed")
"""What binds: compute, with prompts of tokens alone; the uplink, with a picture beside each; or both."""

SLOTS = Slots(uplink_s=0.25, compute_s=1.5, downlink_s=0.25)
BLOOM_3B = Llm(layers=30, hidden_size=2560, ffn_size=10240)
FORMATS = (
    Quantization(weight_bits=16, kv_bits=16, compute_factor=1.0, accuracy=1.0),
    Quantization(weight_bits=8, kv_bits=16, compute_factor=1 / 1.5, accuracy=0.98),
    Quantization(weight_bits=4, kv_bits=16, compute_factor=1 / 2.0, accuracy=0.85),
)
"""ZeroQuant-V2 on BLOOM-3B, rounded, with the speed-ups of conf/config.yaml."""

RADIO = Radio(
    uplink_bandwidth_hz=10e6,
    downlink_bandwidth_hz=10e6,
    user_power_dbm=23,
    edge_node_power_dbm=46,
    noise_psd_dbm_hz=-174,
    bits_per_token=16,
    fading="shared",
    macro_cell=MacroCell(
        intercept_db=128.1, slope_db=37.6, cell_radius_m=250, min_distance_m=35, shadowing_db=8
    ),
)
"""As conf/radio/macro_cell.yaml."""

PICTURE_BITS = {"compute": 0.0, "uplink": 2.0e6, "mixed": 0.6e6}


def network(nodes: int, requests: int, seed: int, regime: str = "mixed", weighted: bool = False) -> Network:
    """Users in the cells of `nodes` base stations 400 m apart, each with 5 to 40 Jetson TX2.

    Parameters
    ----------
    regime
        Of `REGIMES`.
    weighted
        Whether requests have weights, uniform on [0.2, 2], instead of 1.
    """
    rng = np.random.default_rng([seed, nodes, requests, REGIMES.index(regime)])
    systems = [
        System(
            SLOTS,
            BLOOM_3B,
            FORMATS[int(rng.integers(len(FORMATS)))],
            EdgeNode(flops=devices * 1.33e12, memory_bytes=32e9, devices=devices),
        )
        for devices in rng.choice([5, 10, 20, 40], nodes).tolist()
    ]
    prompts, outputs = rng.choice([128, 256, 512], (2, requests))
    sites = hexagonal_sites(nodes, 400.0)
    channel = draw_channels(RADIO, sites, rng, requests, 1)
    uplink_bits = prompts * RADIO.bits_per_token + PICTURE_BITS[regime]
    uplink, downlink = shares(RADIO, [SLOTS] * nodes, channel, uplink_bits, outputs * RADIO.bits_per_token)
    latency_s = rng.uniform(0.5, 2.0, requests)
    return Network(
        tuple(Node(f"n{number}", system) for number, system in enumerate(systems)),
        prompts,
        outputs,
        latency_s=latency_s + 0.5,
        waited_s=rng.uniform(0, 0.5, requests),
        accuracy=rng.uniform(0, 1, requests),
        uplink_share=uplink[..., 0],
        downlink_share=downlink[..., 0],
        weight=rng.uniform(0.2, 2.0, requests) if weighted else np.ones(requests),
    )
