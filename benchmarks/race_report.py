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
CONF = Path(__file__).resolve().parent.parent / "conf" / "scheduler"


def report(folder: Path) -> None:
    """Draw race.pdf and race.png, write race.md and race.json, and print the table; all from race.csv."""
    times = pd.read_csv(folder / "race.csv")
    times["proven"] = times["size"] == times["upper_bound"]
    measured = list(measure(times))
    text = f"# The race\n\n{medians(times)}\n{corners(times)}\n{against_bounds(measured)}"
    (folder / "race.md").write_text(text)
    values = {f"race/{key}": value for key, _, value, _ in measured}
    values |= {"race/small": "500", "race/large": "2,000", "race/largest": "100,000"}
    (folder / "race.json").write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
    figure = draw(times[times["family"] == FAMILY])
    for ending in ("pdf", "png"):
        figure.savefig(folder / f"race.{ending}", dpi=300)
    print(text)


def look(solver: str) -> dict[str, str]:
    """Label, colour and marker of a solver, as in every other figure."""
    if solver == FLOOR:
        return {"label": "Sorting by 4 costs", "color": "#BBBBBB", "marker": ""}
    return dict(yaml.safe_load((CONF / f"{solver}.yaml").read_text()))


def draw(times: pd.DataFrame) -> mpl.figure.Figure:
    """Median time against candidates, a line a solver, with the range from fastest to slowest."""
    sns.set_theme(style="whitegrid", rc=STYLE)
    figure = mpl.figure.Figure(figsize=(COLUMN_IN, 2.3), layout="constrained")
    axes = figure.subplots()
    for solver in dict.fromkeys(times["solver"]):
        grouped = times[times["solver"] == solver].groupby("candidates")["seconds"]
        shown = look(solver)
        middle = 1e3 * grouped.median()
        style = "--" if solver == FLOOR else "-"
        axes.plot(
            middle.index,
            middle,
            style,
            label=shown["label"],
            color=shown["color"],
            marker=shown["marker"] or None,
        )
        axes.fill_between(
            middle.index, 1e3 * grouped.min(), 1e3 * grouped.max(), color=shown["color"], alpha=0.2, lw=0
        )
    axes.set(xscale="log", yscale="log", xlabel="Candidates", ylabel="Time to proof (ms)")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return figure


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
    ours = times[(times["solver"] == OURS) & (times["family"] != "compilation")]
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
    corner = times[~times["family"].isin([FAMILY, "trace", "compilation"]) & (times["solver"] == OURS)]
    yield (
        "corners/open",
        "hard corners left open after 1 s",
        f"{(~corner['proven']).sum()} of {len(corner)}",
        "",
    )
    yield "corners/ms", "slowest hard corner (ms)", f"{1e3 * corner['seconds'].max():.0f}", ""
    cold_s = times[times["family"] == "compilation"]["seconds"].iloc[0]
    yield "compile_s", "compilation, cold (s)", f"{cold_s:.1f}", "under 10"
