"""Speed and memory of the pipeline against their bounds, and what each figure costs: ``make benchmark``.

Runs the pipeline cold in a copy of the checkout, then once more with nothing to do, and prints each
figure with its ratio to the bound (below 1 is within it). Then each figure is made from nothing, alone.
Stores the costs in benchmarks/costs.json, for costs.md and the claims table; ``--scale smoke`` tries all
of this at small scale and stores nothing.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import costs_report
from checkout import ROOT, checkout, disk_mb, run, simulations
from costs import measure_costs, rounded, spent


def main() -> None:
    """Measure, print the table, and store the costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--scale", default="full", help="a file of conf/scale/ (default: full)")
    parser.add_argument("--cores", type=int, default=4, help="cores to use (default: 4)")
    chosen = parser.parse_args()
    scale, cores = chosen.scale, chosen.cores
    snakemake = ("snakemake", "--config", f"scale={scale}", "--cores", str(cores))
    with checkout() as copy:
        run(copy, "python", "-m", "edgebatch.warm_up")
        before, before_mb = resource.getrusage(resource.RUSAGE_CHILDREN), disk_mb(copy)
        wall_s = run(copy, *snakemake)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        whole = spent(copy, wall_s, before_mb)
        cold = (f"cold reproduce on {cores} cores (min, wall)", wall_s / 60, 5)
        rows = [cold, *measure(copy, snakemake, cpu_s, after.ru_maxrss / 1e6)]
        costs = rounded(measure_costs(copy, scale, cores, whole, after.ru_maxrss / 1e6))
    print(f"{'':44}{'measured':>10}{'bound':>8}{'ratio':>8}")
    for name, measured, bound in rows:
        print(f"{name:44}{measured:10.2f}{bound:8.4g}{measured / bound:8.2f}")
    print(costs_report.costs_section(costs, costs_report.experiments()))
    if scale == "full":
        text = json.dumps(costs, indent=1, sort_keys=True) + "\n"
        (ROOT / "benchmarks" / "costs.json").write_text(text)
        costs_report.main()


def measure(
    copy: Path, snakemake: tuple[str, ...], cpu_s: float, largest_job_gb: float
) -> Iterator[tuple[str, float, float]]:
    """Name, figure and bound of each measurement, in a copy where everything has been made."""
    simulated = simulations(copy)
    useful_s = sum(entry["scheduler"] + entry["workload"] for entry in simulated)
    yield "largest job (GB)", largest_job_gb, 2
    yield "total CPU over schedulers and workload", cpu_s / useful_s, 2.5
    yield "no-op run (s)", min(run(copy, *snakemake) for _ in range(3)), 4
    yield "parsing, with experiments as they were (s)", min(parse(copy, snakemake) for _ in range(3)), 3
    edited = copy / "conf" / "experiment" / "throughput_vs_latency.yaml"
    text = edited.read_text()
    edited.write_text(text + "\n")
    yield "parsing, with one experiment edited (s)", parse(copy, snakemake), 3
    edited.write_text(text)
    shutil.rmtree(copy / "results" / "experiments")
    yield "parsing, with all experiments expanded anew (s)", parse(copy, snakemake), 3
    count = len(simulated)
    print(f"{count} settings, {useful_s:.0f} s in schedulers and workload, {cpu_s:.0f} s of CPU in all")


def parse(copy: Path, snakemake: tuple[str, ...]) -> float:
    """Wall time until the workflow is read: all its rules are listed."""
    return run(copy, *snakemake, "--list-rules")


if __name__ == "__main__":
    main()
