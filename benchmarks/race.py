"""The exact schedulers against each other where budgets are tight: part of ``make benchmark``.

This file has linear costs and fixed padding; `roofline_race` is the second half. One run on one core, every
instance fresh, building a solver's model counted, compilation not. What takes milliseconds is measured in
three rounds, with all the other instances in between, and an instance's time is its median: otherwise a tail
is the machine's. All that prove an optimum must agree on it. Writes benchmarks/race.csv, and what
`race_report` makes of it: a figure, a table, and the numbers that the paper names. Times differ from run to
run, so that nothing compares these files byte by byte.
"""

from __future__ import annotations

import csv
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import roofline_race
from race_instances import tight_instance
from race_report import report

from edgebatch import Instance, Schedule, check, schedulers

HERE = Path(__file__).resolve().parent
SEEDS = 20
ROUNDS = 3
"""Times that ours and the sorting meet each instance; the rivals meet it once."""
OURS, FLOOR = "surrogate", "sorting"
RIVALS = {
    "milp": {"deadlines": "thresholds"},
    "milp_big_m": {"deadlines": "big_m"},
    "cp_sat": {},
}
RACED = {100: tuple(RIVALS), 500: tuple(RIVALS), 1000: ("milp", "cp_sat"), 2000: ("milp", "cp_sat")}
"""The rivals that meet each number of candidates: big-M is out of time from 1,000."""
BEYOND = (5000, 10_000, 20_000, 50_000, 100_000)
"""Numbers of candidates that the fast ones meet too."""
RIVAL_LIMIT_S = 5.0
"""Seconds after which a rival is stopped; its time then counts as that."""
CORNERS: dict[str, dict[str, object]] = {
    "grid lengths, shared fading": {"lengths": "grid", "fading": "shared"},
    "heavy-tailed lengths": {"lengths": "heavy_tailed"},
    "budgets within 1 %": {"spread": 0.01},
    "large batches": {"batch_size": 200},
    "large batches, grid, shared fading": {"batch_size": 200, "lengths": "grid", "fading": "shared"},
}
CORNER_LIMIT_S = 1.0

Row = dict[str, object]


def main() -> None:
    """Run the race and write what came out."""
    rows = [row(*each) for each in (*compilations(), *roofline_race.race(timed))]
    rows += race()
    with (HERE / "race.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    report(HERE)


def race() -> Iterator[Row]:
    """One row for each instance and solver."""
    for solver in (OURS, *RIVALS):
        timed(tight_instance(30, 0), solver)
    for candidates in (*RACED, *BEYOND):
        seeds = 10 * SEEDS if candidates == 2000 else SEEDS
        rivals = RACED.get(candidates, ())
        yield from compared("tight", candidates, seeds, rivals, lambda s, n=candidates: tight_instance(n, s))
    yield from compared(
        "trace", 1000, SEEDS, ("milp", "cp_sat"), lambda s: tight_instance(1000, s, lengths="trace")
    )
    for name, options in CORNERS.items():
        make = lambda s, o=options: tight_instance(2000, s, **o)  # noqa: E731
        yield from compared(name, 2000, 5 * SEEDS, (), make, time_limit_s=CORNER_LIMIT_S)


def compared(
    family: str,
    candidates: int,
    seeds: int,
    rivals: tuple[str, ...],
    make: Callable[[int], Instance],
    **limit: float,
) -> Iterator[Row]:
    """Ours on all seeds, the rivals on the first, and sorting: their times, sizes and proofs."""
    print(f"{family}, {candidates} candidates", file=sys.stderr, flush=True)
    seconds: dict[tuple[int, str], list[float]] = defaultdict(list)
    schedules: dict[tuple[int, str], Schedule] = {}
    for met, seed in itertools.product(range(ROUNDS), range(seeds)):
        instance = make(seed)
        for solver in (OURS, *(rivals if met == 0 and seed < SEEDS else ())):
            took, schedules[seed, solver] = timed(instance, solver, **(limit if solver == OURS else {}))
            seconds[seed, solver].append(took)
        seconds[seed, FLOOR].append(sorting_s(instance))
    for seed in range(seeds):
        proven = {s.size for (of, _), s in schedules.items() if of == seed and s.optimal}
        if len(proven) > 1:
            raise SystemExit(f"{family}, {candidates} candidates, seed {seed}: optima {proven}")
    for (seed, solver), rounds in seconds.items():
        schedule = schedules.get((seed, solver), Schedule(()))
        yield row(family, candidates, seed, solver, median(rounds), schedule.size, schedule.upper_bound)


def row(family: str, candidates: int, seed: int, solver: str, seconds: float, size: int, bound: int) -> Row:
    """One measurement."""
    return {
        "family": family,
        "candidates": candidates,
        "seed": seed,
        "solver": solver,
        "seconds": f"{seconds:.3g}",
        "size": size,
        "upper_bound": bound,
    }


def timed(instance: Instance, solver: str, **options: float) -> tuple[float, Schedule]:
    """Seconds that a solver takes on an instance that nothing has looked at, and its checked schedule."""
    given = dict(RIVALS.get(solver, {}), **options)
    if solver in RIVALS:
        given["time_limit_s"] = RIVAL_LIMIT_S
    scheduler = schedulers.get("milp" if solver.startswith("milp") else solver)
    fresh = replace(instance)
    begin = time.perf_counter()
    schedule = scheduler(fresh, **given)
    seconds = time.perf_counter() - begin
    check(instance, schedule)
    return seconds, schedule


def sorting_s(instance: Instance) -> float:
    """Seconds to sort the candidates by each of their four costs."""
    outputs = instance.output_tokens
    padded = np.full_like(outputs, instance.system.fixed_padding_tokens)
    costs = [
        instance.uplink_share,
        instance.downlink_share,
        np.asarray(instance.system.kv_bytes(padded, outputs)),
        np.asarray(instance.system.llm.request_flops(padded, outputs)),
    ]
    begin = time.perf_counter()
    for cost in costs:
        np.argsort(cost)
    return time.perf_counter() - begin


def compilations() -> Iterator[tuple[str, int, int, str, float, int, int]]:
    """Compilation of the linear search and of that over boxes, a row each."""
    for family, module in (("compilation", "race_instances"), ("compilation, boxes", "roofline_instances")):
        yield family, 30, 0, OURS, compile_cold(module), 0, 0


def compile_cold(module: str) -> float:
    """CPU seconds of our solver's first call in a new process with an empty cache, a median too."""
    code = (
        f"import time; from {module} import tight_instance; from edgebatch import solve; "
        "x = tight_instance(30, 0); t = time.process_time(); solve(x, 'surrogate'); "
        "print(time.process_time() - t)"
    )
    seconds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as cache:
            done = subprocess.run(
                (sys.executable, "-c", code),
                cwd=HERE,
                env=dict(os.environ, NUMBA_CACHE_DIR=cache),
                capture_output=True,
                text=True,
                check=True,
            )
        seconds.append(float(done.stdout))
    return median(seconds)


if __name__ == "__main__":
    main()
