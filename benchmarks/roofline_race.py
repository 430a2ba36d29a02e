"""Times of `surrogate` on instances with lengths of traces: ``python -m benchmarks.roofline_race``.

One warm process, median of three calls for each instance, which is made new for each.
"""

from __future__ import annotations

import time

import numpy as np
from benchmarks.roofline_instances import REGIMES, TRACES, tight_instance

from edgebatch import check, solve

SIZES = ((100, "roofline"), (500, "roofline"), (1000, "roofline"), (2000, "roofline"), (2000, "flops"))
SEEDS, CALLS = 8, 3


def milliseconds(candidates: int, seed: int, **kind: str) -> float:
    """Median time of `CALLS` calls, each of which proves its batch."""
    times_s = []
    for _ in range(CALLS):
        instance = tight_instance(candidates, seed, **kind)
        start_s = time.perf_counter()
        schedule = solve(instance, "surrogate")
        times_s.append(time.perf_counter() - start_s)
        check(instance, schedule)
        assert schedule.optimal
    return 1000 * float(np.median(times_s))


def main() -> None:
    """Print a row for each trace and size."""
    solve(tight_instance(30, 0), "surrogate")
    print("| trace | candidates | cost | median (ms) | p99 (ms) |\n|---|---|---|---|---|")
    for trace in TRACES:
        for candidates, cost in SIZES:
            times = [
                milliseconds(candidates, seed, regime=regime, trace=trace, cost=cost)
                for regime in REGIMES
                for seed in range(SEEDS)
            ]
            median, p99 = np.quantile(times, [0.5, 0.99])
            print(f"| {trace} | {candidates:,} | {cost} | {median:.2f} | {p99:.2f} |", flush=True)


if __name__ == "__main__":
    main()
