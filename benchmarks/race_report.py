"""What the race shows: its figure, its table, and each figure against its bound."""

from __future__ import annotations

import json
import operator
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import seaborn as sns
import yaml

from edgebatch_artifact.publish.figures import COLUMN_IN, STYLE

OURS, FLOOR, FAMILY = "surrogate", "sorting", "tight"
TRACES = ("azure", "mooncake")
BEFORE = "before"
ROOFLINE_BOUNDS_MS = {100: (1.5, 3), 500: (3, 8), 1000: (4, 12), 2000: (5, 15), 10_000: (15, 50)}
"""Most that the median and the 99th percentile may take under the roofline, by candidates."""

FLOPS_BOUNDS_MS = (3, 5)
"""The same at 2,000 candidates under FLOPs, with prompts padded to the batch."""
CONF = Path(__file__).resolve().parent.parent / "conf" / "scheduler"


def report(folder: Path) -> None:
    """Draw race.pdf and race.png, write race.md and race.json, and print the table; all from race.csv."""
    times = pd.read_csv(folder / "race.csv")
    times["proven"] = times["size"] == times["upper_bound"]
    measured = list(measure(times))
    linear = times[~times["family"].str.startswith(TRACES)]
    tables = (medians(linear), roofline(times), corners(linear), against_bounds(measured))
    text = "# The race\n\n" + "\n".join(tables)
    (folder / "race.md").write_text(text)
    values = {f"race/{key}": value for key, _, value, _ in measured}
    values |= {"race/small": "500", "race/large": "2,000", "race/largest": "100,000"}
    (folder / "race.json").write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
    figure = draw(
        {
            "FLOPs, fixed padding": times[times["family"] == FAMILY],
            "Roofline, padded to the batch, lengths of traces": times[times["family"].isin(TRACES)],
        }
    )
    for ending in ("pdf", "png"):
        figure.savefig(folder / f"race.{ending}", dpi=300)
    print(text)


def look(solver: str) -> dict[str, str]:
    """Label, colour and marker of a solver, as in every other figure."""
    if solver == FLOOR:
        return {"label": "Sorting by 4 costs", "color": "#BBBBBB", "marker": ""}
    if solver == BEFORE:
        return {"label": "One problem a length (before)", "color": "#666666", "marker": "s"}
    return dict(yaml.safe_load((CONF / f"{solver}.yaml").read_text()))


def draw(halves: dict[str, pd.DataFrame]) -> mpl.figure.Figure:
    """Median time against candidates and its range: a panel for each half, a line for each solver."""
    sns.set_theme(style="whitegrid", rc=STYLE)
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, 4.0), layout="constrained")
    panels = figure.subplots(len(halves), sharex=True)
    lines = {}
    for axes, (title, times) in zip(panels, halves.items(), strict=True):
        for solver in dict.fromkeys(times["solver"]):
            lines.setdefault(solver, _line(axes, solver, times[times["solver"] == solver]))
        axes.set(xscale="log", yscale="log", ylabel="Time to proof (ms)", title=title)
    panels[-1].set(xlabel="Candidates")
    labels = [look(solver)["label"] for solver in lines]
    figure.legend(list(lines.values()), labels, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _line(axes: mpl.axes.Axes, solver: str, times: pd.DataFrame) -> mpl.lines.Line2D:
    """Draw the line of one solver and its range."""
    grouped, shown = 1e3 * times.set_index("candidates")["seconds"], look(solver)
    grouped = grouped.groupby(level=0)
    middle, style = grouped.median(), "--" if solver == FLOOR else "-"
    (line,) = axes.plot(middle.index, middle, style, color=shown["color"], marker=shown["marker"] or None)
    axes.fill_between(middle.index, grouped.min(), grouped.max(), color=shown["color"], alpha=0.2, lw=0)
    return line


def roofline(times: pd.DataFrame) -> str:
    """Median and 99th percentile in ms of the second half, a row for each trace and size."""
    rows = times[times["family"].str.startswith(TRACES)]
    solvers = list(dict.fromkeys(rows["solver"]))
    lines = [
        "Under the roofline, prompts padded to the batch, five regimes of tight budgets; milliseconds,",
        "median / 99th percentile. The search before solved a problem for each pair of a prompt and an",
        "output length.",
        "",
        "| | batch | " + " | ".join(look(s)["label"] for s in solvers) + " |",
        "|---|---|" + "---|" * len(solvers),
    ]
    for (family, candidates), of in rows.groupby(["family", "candidates"], sort=False):
        taken = {solver: 1e3 * of[of["solver"] == solver]["seconds"] for solver in solvers}
        cells = [f"{t.median():.3g} / {t.quantile(0.99):.3g}" if len(t) else "" for t in taken.values()]
        size = of[of["solver"] == OURS]["size"].median()
        lines.append(f"| {family}, {candidates:,} | {size:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def medians(times: pd.DataFrame) -> str:
    """Median and 95th percentile in ms, a row for each size."""
    times = times[times["family"].isin([FAMILY, "trace"])]
    solvers = list(dict.fromkeys(times["solver"]))
    lines = [
        "Milliseconds, median / 95th percentile over the instances; one thread. Ours and the sorting met",
        "each instance in three rounds, and count with the median.",
        "",
    ]
    lines += ["| | batch | " + " | ".join(look(s)["label"] for s in solvers) + " |"]
    lines += ["|---|---|" + "---|" * len(solvers)]
    for (family, candidates), rows in times.groupby(["family", "candidates"], sort=False):
        cells = []
        for solver in solvers:
            taken = 1e3 * rows[rows["solver"] == solver]["seconds"]
            cells.append(f"{taken.median():.3g} / {taken.quantile(0.95):.3g}" if len(taken) else "")
        size = rows[rows["solver"] == OURS]["size"]
        lines.append(f"| {family}, {candidates:,} | {size.median():.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def corners(times: pd.DataFrame) -> str:
    """The hard corners: median and slowest, and what the time limit left unproven."""
    ours = times[(times["solver"] == OURS) & ~times["family"].str.startswith("compilation")]
    lines = ["Hard corners at a time limit of 1 s, milliseconds:", ""]
    lines += ["| | batch | median | slowest | not proven | widest gap |", "|---|---|---|---|---|---|"]
    for (family, candidates), rows in ours.groupby(["family", "candidates"], sort=False):
        taken, gap = 1e3 * rows["seconds"], (rows["upper_bound"] - rows["size"]).max()
        lines.append(
            f"| {family}, {candidates:,} | {rows['size'].median():.0f} | {taken.median():.3g} "
            f"| {taken.max():.3g} | {(~rows['proven']).sum()} of {len(rows)} | {gap} |"
        )
    return "\n".join(lines) + "\n"


def against_bounds(measured: list[tuple[str, str, str, str]]) -> str:
    """Each bound with what was measured, and whether it is met."""
    lines = ["| | measured | bound | met |", "|---|---|---|---|"]
    for _, what, value, bound in measured:
        lines.append(f"| {what} | {value} | {bound} | {met(value, bound) if bound else ''} |")
    return "\n".join(lines) + "\n"


def met(value: str, bound: str) -> str:
    """Whether a value keeps its bound: yes or **no**."""
    if bound == "all":
        kept = len(set(value.split(" of "))) == 1
    else:
        word, limit = bound.replace(",", "").rsplit(" ", 1)
        compare = {
            "at least": operator.ge,
            "above": operator.gt,
            "at most": operator.le,
            "under": operator.lt,
        }
        kept = compare[word](float(value), float(limit))
    return "yes" if kept else "**no**"


def measure(times: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """A key, what is measured, how much it is, and what it is held against."""
    tight = times[times["family"] == FAMILY]
    seconds = tight.groupby(["candidates", "solver"])["seconds"]
    median, worst = seconds.median().unstack(), seconds.max().unstack()
    rivals = [s for s in median if s not in (OURS, FLOOR)]
    for candidates, bound in ((500, 300), (2000, 1000)):
        ours, fastest = median.loc[candidates, OURS], median.loc[candidates, rivals].min()
        yield f"{candidates}/ms", f"median at {candidates:,} (ms)", f"{1e3 * ours:.2g}", ""
        what = f"median at {candidates:,}: fastest rival over ours"
        yield f"{candidates}/ratio", what, f"{fastest / ours:.0f}", f"at least {bound:,}"
    raced = worst[rivals].dropna(how="all").index
    ahead = (worst.loc[raced, rivals].min(axis=1) / worst.loc[raced, OURS]).min()
    yield "slowest/ratio", "slowest instance: fastest rival over ours, any size", f"{ahead:.0f}", "above 1"
    ours = tight[tight["solver"] == OURS].set_index("candidates")["seconds"] * 1e3
    what = f"99th percentile at 2,000, {len(ours[2000])} instances (ms)"
    yield "2000/p99_ms", what, f"{ours[2000].quantile(0.99):.2f}", "under 2"
    yield "100000/ms", "slowest at 100,000 (ms)", f"{ours[100_000].max():.0f}", "under 50"
    floor = (median.loc[2000:, OURS] / median.loc[2000:, FLOOR]).max()
    yield "floor/ratio", "ours over sorting by four costs, from 2,000 up", f"{floor:.1f}", "at most 6"
    growth = median.loc[1000:, OURS]
    work = growth.index * np.log(growth.index)
    exponent = np.polyfit(np.log(work), np.log(growth), 1)[0]
    yield "growth", "growth from 1,000 up: exponent of I log I", f"{exponent:.2f}", "at most 1"
    trace = times[times["family"] == "trace"].groupby("solver")["seconds"].median()
    what = "1,000 requests of the trace: CP-SAT over ours"
    yield "trace/ratio", what, f"{trace['cp_sat'] / trace[OURS]:.0f}", "at least 500"
    proven = times[(times["solver"] == OURS) & times["family"].isin([FAMILY, "trace"])]["proven"]
    yield "proven", "proven optimal, without the corners", f"{proven.sum()} of {len(proven)}", "all"
    yield from measure_roofline(times)
    other = times["family"].isin([FAMILY, "trace"]) | times["family"].str.startswith(("compilation", *TRACES))
    corner = times[~other & (times["solver"] == OURS)]
    yield (
        "corners/open",
        "hard corners left open after 1 s",
        f"{(~corner['proven']).sum()} of {len(corner)}",
        "",
    )
    yield "corners/ms", "slowest hard corner (ms)", f"{1e3 * corner['seconds'].max():.0f}", ""
    cold_s = times[times["family"] == "compilation"]["seconds"].iloc[0]
    yield "compile_s", "compilation of the linear search, cold (s)", f"{cold_s:.1f}", "under 10"
    cold_s = times[times["family"] == "compilation, boxes"]["seconds"].iloc[0]
    yield (
        "roofline/compile_s",
        "compilation of the search over boxes, cold (s)",
        f"{cold_s:.1f}",
        "at most 15",
    )


def measure_roofline(times: pd.DataFrame) -> Iterator[tuple[str, str, str, str]]:
    """The same of the second half, over both traces together."""
    rows = times[times["family"].isin(TRACES)]
    for candidates, bounds in ROOFLINE_BOUNDS_MS.items():
        ours = 1e3 * rows[(rows["solver"] == OURS) & (rows["candidates"] == candidates)]["seconds"]
        yield from _middle_and_tail(f"roofline/{candidates}", f"roofline, {candidates:,}", ours, bounds)
    flops = times[times["family"].isin([f"{trace}, FLOPs" for trace in TRACES])]
    yield from _middle_and_tail(
        "roofline/flops", "FLOPs, lengths of traces, 2,000", 1e3 * flops["seconds"], FLOPS_BOUNDS_MS
    )
    stopped = times[times["family"].str.endswith("ms at most")]
    limit = stopped["family"].str.extract(r"(\S+) ms", expand=False).astype(float)
    for candidates, over in (1e3 * stopped["seconds"] - limit).groupby(stopped["candidates"]):
        what = f"time limits of a few milliseconds, {candidates:,}: most beyond (ms)"
        yield f"roofline/over/{candidates}", what, f"{over.max():.0f}", "at most 10"
    first = times[(times["family"] == TRACES[0]) & (times["candidates"] == 1000)]
    seconds = first.pivot(index="seed", columns="solver", values="seconds")
    ratio = seconds[BEFORE] / seconds[OURS]
    what = "roofline, 1,000: one problem a length over ours, median of the instances"
    yield "roofline/before", what, f"{ratio.median():.0f}", "at least 1000"
    yield "roofline/before_least", "and least of the instances", f"{ratio.min():.0f}", ""
    raced = rows[rows["candidates"] == 100].groupby("solver")["seconds"].median()
    fastest = raced[["milp_big_m", "cp_sat"]].min() / raced[OURS]
    yield "roofline/rivals", "roofline, 100: fastest rival over ours, medians", f"{fastest:.0f}", ""
    proven = rows[rows["solver"] == OURS]["proven"]
    yield "roofline/proven", "roofline, proven optimal", f"{proven.sum()} of {len(proven)}", "all"


def _middle_and_tail(
    key: str, what: str, ms: pd.Series[float], bounds: tuple[float, float]
) -> Iterator[tuple[str, str, str, str]]:
    yield f"{key}/ms", f"{what}: median (ms)", f"{ms.median():.2g}", f"at most {bounds[0]}"
    yield f"{key}/p99_ms", f"{what}: 99th percentile (ms)", f"{ms.quantile(0.99):.2g}", f"at most {bounds[1]}"
