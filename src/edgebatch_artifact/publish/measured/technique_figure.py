"""Figure and tables of the measured techniques: what bits cost in perplexity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from edgebatch_artifact.compression.measurement import LAST
from edgebatch_artifact.compression.outcome import PUBLISHED
from edgebatch_artifact.publish.figures import COLORS, COLUMN_IN, HEIGHT_IN, MARKERS, own_style
from edgebatch_artifact.publish.table import Table, number
from edgebatch_artifact.settings.measured.calibration import ACCURACY_AGAINST_BITS, TECHNIQUE_SEQUENCES

MOST = 1e3
"""Ratio of perplexities at which the figure ends; what is above is in the table."""

TICKS = (2, 3, 4, 5, 6, 8)
"""Bits of a weight that have a tick."""


def technique_figures(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """The figures by name, from the tables of `edgebatch_artifact.compression.outcome.technique_tables`."""
    with own_style():
        return {ACCURACY_AGAINST_BITS: _figure(tables[ACCURACY_AGAINST_BITS])}


def _figure(points: pd.DataFrame) -> Figure:
    """Perplexity over that of 16 bits; published values of larger models as grey marks.

    On text of the model itself the exponential of the divergence is that ratio, and has the closer interval.
    """
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, HEIGHT_IN + 0.8), layout="constrained")
    axes = figure.subplots()
    published = points[points["family"] == PUBLISHED]
    axes.plot(
        published["bits"],
        published["perplexity"] / published["fp16"],
        linestyle="none",
        marker="_",
        color="0.6",
        label="Published, larger models",
        zorder=1,
    )
    measured = points[(points["family"] != PUBLISHED) & (points["exit"] == LAST)]
    for place, (name, rows) in enumerate(measured.groupby("family", sort=True)):
        middle, half = np.exp(rows["divergence"]), rows["divergence_half_width"]
        errors = [middle * (1 - np.exp(-half)), middle * (np.exp(half) - 1)]
        look: dict[str, Any] = {"color": COLORS[place], "marker": MARKERS[place], "markersize": 3.2}
        axes.errorbar(rows["bits"], middle, errors, linestyle="none", lw=0.8, label=str(name), **look)
    axes.axhline(1, color="0.4", linewidth=0.6, zorder=0)
    axes.set(xlabel="Bits of a weight", ylabel="Perplexity over that of 16 bits", xscale="log", yscale="log")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xticks(TICKS, map(str, TICKS))
    axes.set_ylim(0.9, min(MOST, 1.3 * float((points["perplexity"] / points["fp16"]).max())))
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


def technique_tables(tables: Mapping[str, pd.DataFrame]) -> list[Table]:
    """The tables of what was measured, by the names of the files behind them."""
    return [_accuracy_table(tables[ACCURACY_AGAINST_BITS]), _text_table(tables[TECHNIQUE_SEQUENCES])]


def _accuracy_table(points: pd.DataFrame) -> Table:
    measured = points[points["family"] != PUBLISHED].sort_values(["family", "label", "exit"])
    rows = tuple(
        (
            row.label + (f", by {row.exit}" if row.exit != LAST else ""),
            f"{row.bits:.2f}",
            number(row.perplexity / row.fp16),
            f"{number(row.divergence)} ± {number(row.divergence_half_width)}",
            f"{row.packed_bytes / 1e6:.1f}",
            f"{row.packed_bytes / row.zstd_bytes:.2f}",
            f"{row.packed_bytes / row.huffman_bytes:.2f}",
            f"{row.seconds:.0f}",
        )
        for row in measured.itertuples()
    )
    caption = (
        "Techniques on SmolLM2-135M: bits of a weight, from the bytes written; perplexity over that of"
        " 16 bits, on text of the model itself; divergence with its interval (nats per token); megabytes of"
        " the layers, and how many times fewer as coded; seconds to compress"
    )
    head = ("Technique", "Bits", "PPL", "KL", "MB", "zstd", "Huffman", "s")
    return Table(caption, ACCURACY_AGAINST_BITS, head, rows, "lrrrrrrr", wide=True)


def technique_values(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Values of the prose: bits, ratio of perplexities, divergence and coding of each run."""
    points = tables[ACCURACY_AGAINST_BITS]
    values: dict[str, str] = {}
    for row in points[points["family"] != PUBLISHED].itertuples():
        place = f"techniques/{row.run}" + (f"/{row.exit}" if row.exit != LAST else "")
        values |= {
            f"{place}/bits": f"{row.bits:.2f}",
            f"{place}/ppl": number(row.perplexity / row.fp16),
            f"{place}/kl": number(row.divergence),
            f"{place}/coded": number(row.packed_bytes / min(row.zstd_bytes, row.huffman_bytes)),
        }
    return values


def _text_table(texts: pd.DataFrame) -> Table:
    last = texts[texts["exit"] == LAST]
    rows = tuple(
        (str(name), str(len(of)), *(number(value) for value in _spread(of["divergence"])))
        for name, of in last.groupby("label", sort=True)
    )
    caption = (
        "Divergence from the 16-bit model by sequence of the text: least, median and most (nats per token)"
    )
    head = ("Technique", "Sequences", "Least", "Median", "Most")
    return Table(caption, TECHNIQUE_SEQUENCES, head, rows, "lrrrr")


def _spread(values: pd.Series) -> tuple[float, float, float]:
    return float(values.min()), float(values.median()), float(values.max())
