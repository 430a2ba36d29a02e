"""What each figure costs: the time and the disk of the command that makes it, from nothing."""

from __future__ import annotations

import csv
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from checkout import ROOT, disk_mb, forget, run, simulations

AFTER = ("CLAIMS.md", "paper/main.pdf", "report.html", "results/notebook/explore.html")
"""What needs all figures."""

Costs = dict[str, Any]


def measure_costs(copy: Path, scale: str, cores: int, whole: Costs, largest_job_gb: float) -> Costs:
    """All costs, measured in a copy of the checkout that holds all results, and loses them.

    Parameters
    ----------
    whole
        What everything costs, by `spent`.
    """
    root, flags = ("", ()) if scale == "full" else (f"results/{scale}/", ("--config", f"scale={scale}"))
    snakemake = ("snakemake", *flags, "--cores", str(cores))
    after = {}
    for name in AFTER:
        if name != "paper/main.pdf" or shutil.which("latexmk"):
            target = root + name.removeprefix("results/" if root else "")
            wall_s = run(copy, *snakemake, "--force", target)
            made_mb = os.stat(copy / target).st_size / 1e6
            after[name] = {"wall_minutes": wall_s / 60, "disk_mb": made_mb}
    experiments = {}
    for path in sorted((copy / "conf" / "experiment").glob("*.yaml")):
        forget(copy)
        before_mb = disk_mb(copy)
        wall_s = run(copy, *snakemake, f"{root}figures/{path.stem}.pdf")
        experiments[path.stem] = spent(copy, wall_s, before_mb)
    return {
        "cores": cores,
        "largest_job_gb": largest_job_gb,
        "environment_mb": disk_mb(Path(sys.prefix)),
        "whole": whole,
        "experiments": experiments,
        "after": after,
        "race": race(),
    }


def spent(copy: Path, wall_s: float, before_mb: float) -> Costs:
    """What a command cost that found no results: it took `wall_s`, the copy had `before_mb`."""
    simulated = simulations(copy)
    return {
        "settings": len(simulated),
        "cpu_minutes": sum(entry["process"] for entry in simulated) / 60,
        "wall_minutes": wall_s / 60,
        "disk_mb": disk_mb(copy) - before_mb,
    }


def race() -> Costs:
    """What the race that is stored took: its solvers' time, on one core; and its files."""
    files = sorted((ROOT / "benchmarks").glob("race.*"))
    with (ROOT / "benchmarks" / "race.csv").open(newline="") as file:
        solving_s = sum(float(row["seconds"]) for row in csv.DictReader(file))
    made = [path.stat().st_size for path in files if path.suffix != ".py"]
    return {"wall_minutes": solving_s / 60, "disk_mb": sum(made) / 1e6}


def rounded(costs: Costs) -> Costs:
    """Costs as they are stored: more digits would be noise."""
    return {
        key: rounded(value) if isinstance(value, dict) else round(value, 2 if key.endswith("_gb") else 1)
        for key, value in costs.items()
    }
