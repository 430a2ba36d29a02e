"""How much of the distance between OT-GAH and the upper bound the joint search closes, and what it costs.

Networks of `network_instances`, with requests of one weight and of random weights; one core, compilation not
counted. At 10 and 20 nodes the search runs with more steps and moves too. Also measured is what weights that
are all 1 cost a scheduler of one node. Writes network.csv, a row for each run, and network.md:
``PYTHONPATH=src OPENBLAS_NUM_THREADS=1 python benchmarks/network.py``.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import race_instances
import roofline_instances
from network_instances import REGIMES, SIZES, network

from edgebatch import solve
from edgebatch.network import Network, check_network, solve_network

HERE = Path(__file__).resolve().parent
SEEDS = 3
LARGEST = (20, 10_000)
"""Nodes and requests that are met once in each regime."""

GOAL, GOAL_S = 0.8, 1.0
"""Share of the distance that is to be closed, and seconds at 5 nodes and 500 requests."""

EFFORTS: dict[str, dict[int, dict[str, int]]] = {
    "default": {nodes: {} for nodes, _ in SIZES},
    "more": {
        10: {"rounds": 60, "fine_rounds": 25, "moves_per_node": 16},
        20: {"rounds": 120, "fine_rounds": 100, "moves_per_node": 32},
    },
}
"""Options of the joint search, by the number of nodes."""

COLUMNS = (
    "nodes",
    "requests",
    "weights",
    "effort",
    "regime",
    "seed",
    "gah",
    "joint",
    "upper_bound",
    "closed",
    "gah_s",
    "joint_s",
)


def main() -> None:
    """Measure, and write network.csv and network.md."""
    solve_network(network(2, 20, 0, weighted=True), "joint")
    solve_network(network(2, 20, 0), "joint")
    rows = list(_runs())
    with open(HERE / "network.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    (HERE / "network.md").write_text(_report(rows, *_ratio_of_unit_weights()), encoding="utf-8")


def _runs() -> Iterator[dict[str, Any]]:
    for effort, by_nodes in EFFORTS.items():
        sizes = [*SIZES, LARGEST] if effort == "default" else SIZES
        for nodes, requests in sizes:
            seeds = 1 if (nodes, requests) == LARGEST else SEEDS
            for weighted in (False, True) if nodes in by_nodes else ():
                for regime in REGIMES:
                    for seed in range(seeds):
                        of = network(nodes, requests, seed, regime, weighted)
                        run = _run(of, by_nodes[nodes])
                        named = {
                            "nodes": nodes,
                            "requests": requests,
                            "weights": "random" if weighted else "one",
                            "effort": effort,
                            "regime": regime,
                            "seed": seed,
                        }
                        print(named | run, flush=True)
                        yield named | run


def _run(of: Network, options: dict[str, int]) -> dict[str, Any]:
    # an instance of its own for each, as what is derived from one is kept
    gah, gah_s = _timed(replace(of), "gah", bound=False)
    joint, joint_s = _timed(replace(of), "joint", **options)
    distance = joint.upper_bound - gah.weight
    return {
        "gah": round(gah.weight, 3),
        "joint": round(joint.weight, 3),
        "upper_bound": round(joint.upper_bound, 3),
        "closed": round((joint.weight - gah.weight) / distance, 3) if distance > 0 else 1.0,
        "gah_s": round(gah_s, 4),
        "joint_s": round(joint_s, 3),
    }


def _timed(of: Network, method: str, **options: Any) -> tuple[Any, float]:
    begin = time.perf_counter()
    found = solve_network(of, method, **options)
    took_s = time.perf_counter() - begin
    check_network(of, found)
    return found, took_s


def _ratio_of_unit_weights() -> tuple[float, float]:
    """Time of `surrogate` with weights of 1 over that without weights, in the median and at most."""
    ratios = []
    for candidates in (100, 500):
        for seed in range(8):
            for make in (race_instances.tight_instance, roofline_instances.tight_instance):
                plain = make(candidates, seed)
                times: tuple[list[float], list[float]] = ([], [])
                sizes = set()
                for _ in range(31):
                    ones = replace(plain, weight=np.ones(candidates))
                    for took, instance in zip(times, (replace(plain), ones), strict=True):
                        begin = time.perf_counter()
                        sizes.add(solve(instance, "surrogate").size)
                        took.append(time.perf_counter() - begin)
                assert len(sizes) == 1
                ratios.append(median(times[1]) / median(times[0]))
    return median(ratios), max(ratios)


HEAD = (
    "nodes, requests",
    "weights",
    "effort",
    "closed, median",
    "closed, worst",
    "closed in all",
    "proven",
    "gap, worst",
    "time, median",
    "time, worst",
    "OT-GAH, median",
)

PAGE = """\
# Several nodes: what the joint search closes

`benchmarks/network.py` writes this page and `network.csv`. The distance is that between what OT-GAH serves,
in the order of the nodes, and the upper bound that the joint search proves. Users are dropped in the cells
of heterogeneous nodes; in {regimes} regimes compute, the uplink or both bind, with {seeds} seeds each, and
one at {largest:,} requests.

{table}

The goal is {goal:.0%} at every size, and {goal_s:g} s in the median at 5 nodes and 500 requests. With `more`
effort, there are {more}.

One node: `surrogate` with weights that are all 1 takes {ratio:.2f} times as long as without weights in the
median of 32 instances, {worst_ratio:.2f} times at most, and the sizes are the same.
"""


def _report(rows: list[dict[str, Any]], ratio: float, worst_ratio: float) -> str:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        key = row["nodes"], row["requests"], row["weights"], row["effort"]
        groups.setdefault(key, []).append(row)
    cells = [HEAD, ("---",) * len(HEAD), *(_line(key, group) for key, group in sorted(groups.items()))]
    more = (
        ", ".join(f"`{name}={value}`" for name, value in options.items()) + f" at {nodes} nodes"
        for nodes, options in EFFORTS["more"].items()
    )
    return PAGE.format(
        regimes=len(REGIMES),
        seeds=SEEDS,
        largest=LARGEST[1],
        table="\n".join(f"| {' | '.join(line)} |" for line in cells),
        goal=GOAL,
        goal_s=GOAL_S,
        more=" and ".join(more),
        ratio=ratio,
        worst_ratio=worst_ratio,
    )


def _line(key: tuple[Any, ...], group: list[dict[str, Any]]) -> tuple[str, ...]:
    nodes, requests, weights, effort = key
    closed = [row["closed"] for row in group]
    gained = sum(row["joint"] - row["gah"] for row in group)
    apart = sum(row["upper_bound"] - row["gah"] for row in group)
    proven = sum(row["upper_bound"] <= row["joint"] * (1 + 1e-9) for row in group)
    return (
        f"{nodes}, {requests:,}",
        weights,
        effort,
        f"{median(closed):.0%}",
        f"{min(closed):.0%}",
        f"{gained / apart:.0%}",
        f"{proven} of {len(group)}",
        f"{max(row['upper_bound'] / row['joint'] - 1 for row in group):.1%}",
        f"{median(row['joint_s'] for row in group):.2f} s",
        f"{max(row['joint_s'] for row in group):.2f} s",
        f"{1e3 * median(row['gah_s'] for row in group):.0f} ms",
    )


if __name__ == "__main__":
    main()
