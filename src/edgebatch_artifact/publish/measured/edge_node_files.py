"""Calibrated devices as files of conf/edge_node/, with the rows that their values come from."""

from __future__ import annotations

from typing import Any

import pandas as pd

from edgebatch.calibration.fitting import BOUNDS
from edgebatch_artifact.calibration.calibrate import Calibration, Measured
from edgebatch_artifact.settings.configuration import EdgeNodeConfig
from edgebatch_artifact.settings.measured.calibration import Source

ENDING = "_calibrated"
"""What the name of a fit is followed by in the name of its file."""


def edge_node_files(measured: Measured, calibration: Calibration) -> dict[str, str]:
    """The text of each file by its name in conf/edge_node/, without ending; a fit has one."""
    return {
        f"{fit['fit']}{ENDING}": _text(fit, measured.sources[fit["source"]], measured.nodes[fit["edge_node"]])
        for fit in calibration.fits.to_dict("records")
    }


def _text(fit: dict[str, Any], source: Source, peaks: EdgeNodeConfig) -> str:
    devices, given = fit["devices"], source.fits[fit["fit"]].given_by
    models = fit["models"] if "," not in fit["models"] else f"{fit['models'].count(',') + 1} models"
    pooled = f"{devices} pooled " if devices > 1 else ""
    lines = [
        f"# Source: conf/calibration/{fit['source']}.yaml, fitted to {fit['rows']} of its rows:",
        f"# {fit['models']}; {_selected(source)}.",
        f"# Peaks: {fit['edge_node']}.yaml." + (f" Shares of one device: the fit {given}." if given else ""),
        "# Written by `artifact calibrate`; do not edit.",
        f"label: {pooled}{peaks.label}, calibrated on {models}",
        f"devices: {devices}",
        f"device_flops: {peaks.device_flops:.10g}",
        f"memory_bytes: {devices * peaks.memory_bytes:.10g}",
        f"device_bandwidth_bytes_per_s: {peaks.device_bandwidth_bytes_per_s:.10g}",
        "efficiencies:",
        *(f"  {field}: {efficiency(fit[field])}" for field in BOUNDS if pd.notna(fit[field])),
    ]
    return "\n".join(lines) + "\n"


def _selected(source: Source) -> str:
    columns = ("prompt_tokens", "batch", "output_tokens")
    values = ((column, getattr(source.fitted, column)) for column in columns)
    return "; ".join(f"{name} {', '.join(map(str, some))}" for name, some in values if some)


def efficiency(value: float) -> str:
    """Three significant digits, as a number of YAML 1.1, where an exponent follows a point."""
    return f"{value:.2e}" if value < 1e-3 else f"{value:.3g}"
