"""Calibrated devices as files of conf/edge_node/, with the rows that their values come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from edgebatch.calibration.fitting import BOUNDS
from edgebatch_artifact.analysis.calibrate import Calibration
from edgebatch_artifact.settings.calibration_file import Source, read_sources
from edgebatch_artifact.settings.conf_folder import read_file

ENDING = "_calibrated"
"""What the name of a fit is followed by in the name of its file."""


def edge_node_files(conf: Path, calibration: Calibration) -> dict[str, str]:
    """The text of each file by its name in conf/edge_node/, without ending; a fit has one."""
    sources = read_sources(conf)
    return {
        f"{row['fit']}{ENDING}": _text(
            row, sources[row["source"]], read_file(conf, "edge_node", row["edge_node"])
        )
        for row in calibration.fits.to_dict("records")
    }


def _text(row: dict[str, Any], source: Source, peaks: dict[str, Any]) -> str:
    devices = row["devices"]
    given = source.fits[row["fit"]].given_by
    lines = [
        "# Written by `artifact calibrate`; do not edit.",
        f"# Source: conf/calibration/{row['source']}.yaml, fitted to {row['rows']} of its rows:",
        f"# {row['models']}; {_selected(source)}.",
        f"# Peaks: {row['edge_node']}.yaml." + (f" Shares of one device: the fit {given}." if given else ""),
        f"label: {f'{devices} pooled ' if devices > 1 else ''}{peaks['label']}, calibrated",
        f"devices: {devices}",
        f"device_flops: {peaks['device_flops']:.10g}",
        f"memory_bytes: {devices * peaks['memory_bytes']:.10g}",
        f"device_bandwidth_bytes_per_s: {peaks['device_bandwidth_bytes_per_s']:.10g}",
        "efficiencies:",
        *(f"  {field}: {_number(row[field])}" for field in BOUNDS if pd.notna(row[field])),
    ]
    return "\n".join(lines) + "\n"


def _selected(source: Source) -> str:
    columns = ("prompt_tokens", "batch", "output_tokens")
    values = ((column, getattr(source.fitted, column)) for column in columns)
    return "; ".join(f"{name} {', '.join(map(str, some))}" for name, some in values if some)


def _number(value: float) -> str:
    """Three significant digits, as a number of YAML 1.1, where an exponent follows a point."""
    return f"{value:.2e}" if value < 1e-3 else f"{value:.3g}"
