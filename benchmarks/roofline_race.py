"""The second half of the race: a roofline, prompts padded to the batch, lengths of public traces.

`race` writes its rows. The row "before" is the search of an earlier commit, in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import median

from roofline_instances import EXPERTS, REGIMES, TRACES, tight_instance

from edgebatch import Instance, Schedule, check, solve

HERE = Path(__file__).resolve().parent
OURS, BEFORE = "surrogate", "before"
BEFORE_COMMIT = "c03f563"
"""The last commit whose `surrogate` solves a problem for each pair of a prompt and an output length."""

CALLS = 3
"""Times that ours meets each instance; it counts with the median."""

SEEDS = 4
"""Instances of each regime."""

RIVALS = ("milp_big_m", "cp_sat")
RACED = {100: (*RIVALS, BEFORE), 500: (*RIVALS, BEFORE), 1000: (BEFORE,), 2000: (), 10_000: ()}
"""Who meets each number of candidates beside ours; the rivals are out of time from 500."""

FLOPS_SIZE = 2000
"""Number of candidates of the instances under FLOPs."""

EXPERTS_SIZES = (100, 300, 1000)
"""Numbers of candidates for a model with experts."""

LIMITS_S = (0.002, 0.005, 0.02)
"""Time limits, each too short for most instances with the following numbers of candidates."""

LIMITED_SIZES = (10_000, 50_000)

Row = tuple[str, int, int, str, float, int, int]

Timed = Callable[..., tuple[float, Schedule]]


def race(timed: Timed) -> Iterator[Row]:
    """Family, candidates, seed, solver, seconds, size and bound of each instance and solver.

    Parameters
    ----------
    timed
        Seconds that a rival takes on an instance, and its checked schedule.
    """
    solve(tight_instance(30, 0), OURS)
    for trace, (candidates, others) in product(TRACES, RACED.items()):
        print(f"{trace}, {candidates} candidates", file=sys.stderr, flush=True)
        kinds = [{"regime": r, "trace": trace, "seed": s} for r in REGIMES for s in range(SEEDS)]
        sizes = {}
        for place, kind in enumerate(kinds):
            instance = tight_instance(candidates, **kind)
            seconds, schedule = ours_s(instance)
            sizes[place] = schedule.size
            yield trace, candidates, place, OURS, seconds, schedule.size, schedule.upper_bound
            for rival in RIVALS if RIVALS[0] in others else ():
                seconds, schedule = timed(instance, rival)
                if schedule.optimal and schedule.size != sizes[place]:
                    raise SystemExit(f"{trace}, {candidates} candidates, instance {place}: optima differ")
                yield trace, candidates, place, rival, seconds, schedule.size, schedule.upper_bound
        # the traces differ little to the search before, which takes minutes for each
        if BEFORE in others and trace == next(iter(TRACES)):
            for place, (seconds, size) in enumerate(before_s(candidates, kinds)):
                if size != sizes[place]:
                    raise SystemExit(f"{trace}, {candidates} candidates, instance {place}: optima differ")
                yield trace, candidates, place, BEFORE, seconds, size, size
    yield from others()


def others() -> Iterator[Row]:
    """Rows of ours alone: under FLOPs, with experts, and stopped by a time limit."""
    kinds = list(enumerate(product(REGIMES, range(SEEDS))))
    for trace, (place, (regime, seed)) in product(TRACES, kinds):
        instance = tight_instance(FLOPS_SIZE, seed, regime=regime, trace=trace, cost="flops")
        seconds, schedule = ours_s(instance)
        yield f"{trace}, FLOPs", FLOPS_SIZE, place, OURS, seconds, schedule.size, schedule.upper_bound
    for candidates, (place, (regime, seed)) in product(EXPERTS_SIZES, kinds):
        seconds, schedule = ours_s(tight_instance(candidates, seed, regime=regime, llm=EXPERTS))
        yield "azure, experts", candidates, place, OURS, seconds, schedule.size, schedule.upper_bound
    for candidates, limit_s, (place, (regime, seed)) in product(LIMITED_SIZES, LIMITS_S, kinds):
        instance = tight_instance(candidates, seed, regime=regime)
        begin_s = time.perf_counter()
        schedule = solve(instance, OURS, time_limit_s=limit_s)
        seconds = time.perf_counter() - begin_s
        family = f"azure, {1000 * limit_s:g} ms at most"
        yield family, candidates, place, OURS, seconds, schedule.size, schedule.upper_bound


def ours_s(instance: Instance) -> tuple[float, Schedule]:
    """Median time of ours on copies that nothing has looked at, and its checked schedule."""
    times_s = []
    for _ in range(CALLS):
        fresh = replace(instance)
        begin_s = time.perf_counter()
        schedule = solve(fresh, OURS)
        times_s.append(time.perf_counter() - begin_s)
    check(instance, schedule)
    return median(times_s), schedule


def before_s(candidates: int, kinds: list[dict[str, object]]) -> list[tuple[float, int]]:
    """Time and size that the search of `BEFORE_COMMIT` takes for each instance, each once."""
    with tempfile.TemporaryDirectory() as folder:
        sources = subprocess.run(
            ("git", "archive", BEFORE_COMMIT, "src"), cwd=HERE.parent, capture_output=True, check=True
        )
        subprocess.run(("tar", "-x", "-C", folder), input=sources.stdout, check=True)
        code = (
            f"import sys; sys.path[:0] = [{str(Path(folder) / 'src')!r}, {str(HERE)!r}]\n"
            "import json, roofline_race; roofline_race.print_times(*json.loads(sys.stdin.read()))"
        )
        done = subprocess.run(
            (sys.executable, "-c", code),
            input=json.dumps([candidates, kinds]),
            capture_output=True,
            text=True,
            check=True,
        )
    return [(seconds, size) for seconds, size in json.loads(done.stdout)]


def print_times(candidates: int, kinds: list[dict[str, object]]) -> None:
    """Print time and size of whatever `surrogate` this process has, for each instance, as JSON."""
    solve(tight_instance(30, 0), OURS)
    results = []
    for kind in kinds:
        instance = tight_instance(candidates, **kind)  # type: ignore[arg-type]
        begin_s = time.perf_counter()
        schedule = solve(instance, OURS)
        results.append((time.perf_counter() - begin_s, schedule.size))
    print(json.dumps(results))
