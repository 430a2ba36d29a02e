"""The figure of the engine's logs: distributions of measured and of simulated latencies."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from edgebatch_artifact.publish.figures import PAGE_IN, own_style
from edgebatch_artifact.settings.measured.calibration import LATENCIES

ROW_IN = 1.35
"""Height of a row of panels."""
LOOKS = {"measured": ("Measured", "0.2", "-"), "simulated": ("Simulated", "#332288", "--")}


def engine_log_figure(logs: pd.DataFrame) -> Figure:
    """Draw a row of panels for each log: the share of requests up to each latency."""
    names = list(dict.fromkeys(logs["log"]))
    with own_style():
        figure = mpl.figure.Figure(figsize=(PAGE_IN, ROW_IN * len(names) + 0.3), layout="constrained")
        grid = figure.subplots(len(names), len(LATENCIES), squeeze=False)
        for row, name in zip(grid, names, strict=True):
            for axes, (quantity, words) in zip(row, LATENCIES.items(), strict=True):
                shown = logs[(logs["log"] == name) & (logs["quantity"] == quantity)]
                for column, (label, color, dashes) in LOOKS.items():
                    times_s = np.sort(shown[column].to_numpy())
                    share = np.arange(1, times_s.size + 1) / times_s.size
                    axes.plot(times_s, share, color=color, linestyle=dashes, label=label)
                axes.set(xlabel=f"{words.capitalize()} (s)", ylim=(0, 1.02), title=name)
            row[0].set_ylabel("Share of requests")
        handles, labels = grid[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
        return figure
