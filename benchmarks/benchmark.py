"""Speed and memory of the whole pipeline against their bounds: ``make benchmark``.

Runs the pipeline cold in a copy of the checkout, then once more with nothing to do, and prints each
figure with its ratio to the bound (below 1 is within it). Stores the CPU minutes of each experiment, which
the claims table shows, in benchmarks/minutes.json.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    *("conf", "src", "workflow", "profiles", "paper", "notebooks", "benchmarks"),
    *("Snakefile", "pyproject.toml", "environment.yml"),
)
CORES = 4


def main() -> None:
    """Measure, print the table, and store the minutes."""
    with tempfile.TemporaryDirectory(prefix="edgebatch-") as folder:
        copy = Path(folder) / "checkout"
        copy.mkdir()
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / name)
        rows = list(measure(copy))
        minutes = minutes_by_experiment(copy)
    print(f"{'':44}{'measured':>10}{'bound':>8}{'ratio':>8}")
    for name, measured, bound in rows:
        print(f"{name:44}{measured:10.2f}{bound:8.4g}{measured / bound:8.2f}")
    text = json.dumps(minutes, indent=1, sort_keys=True) + "\n"
    (ROOT / "benchmarks" / "minutes.json").write_text(text)


def measure(copy: Path) -> Iterator[tuple[str, float, float]]:
    """Name, figure and bound of each measurement, in the copy of the checkout."""
    run(copy, "python", "-m", "edgebatch.warm_up")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wall_s = run(copy, "snakemake", "--cores", str(CORES)) + run(copy, "snakemake", "--report", "report.html")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    useful_s = sum(entry["scheduler"] + entry["workload"] for entry in simulations(copy))
    yield f"cold reproduce on {CORES} cores (min, wall)", wall_s / 60, 5
    yield "largest job (GB)", after.ru_maxrss / 1e6, 2
    yield "total CPU over schedulers and workload", cpu_s / useful_s, 2.5
    yield "no-op run (s)", min(run(copy, "snakemake", "--cores", str(CORES)) for _ in range(3)), 4
    yield "parsing, with the grid cached (s)", min(parse(copy) for _ in range(3)), 3
    with (copy / "conf" / "experiment" / "throughput_vs_latency.yaml").open("a") as edited:
        edited.write("\n")
    yield "parsing, with one experiment edited (s)", parse(copy), 3
    shutil.rmtree(copy / "results" / "grids")
    yield "parsing, with the grid compiled anew (s)", parse(copy), 3
    settings = len(list((copy / "results" / "settings").glob("*.json")))
    print(f"{settings} settings, {useful_s:.0f} s in schedulers and workload, {cpu_s:.0f} s of CPU in all")


def run(copy: Path, *command: str) -> float:
    """Wall time of a command in the copy, with the copy's own code."""
    environment = dict(os.environ, PYTHONPATH=str(copy / "src"))
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - begin


def parse(copy: Path) -> float:
    """Wall time until the workflow is read: all its rules are listed."""
    return run(copy, "snakemake", "--list-rules")


def simulations(copy: Path) -> list[dict[str, Any]]:
    """What each simulation logged: its run, and the seconds that its parts took."""
    logs = sorted((copy / "results" / "logs" / "simulate").glob("*.log"))
    return [json.loads(line) for path in logs for line in path.read_text().splitlines()]


def minutes_by_experiment(copy: Path) -> dict[str, float]:
    """CPU minutes of the runs that each experiment needs."""
    spent = {entry["run"]: entry["process"] for entry in simulations(copy)}
    result = {}
    for path in (copy / "results" / "experiments").glob("*.json"):
        runs = {Path(point["run"]).stem for point in json.loads(path.read_text())["points"]}
        result[path.stem] = round(sum(spent[run] for run in runs) / 60, 1)
    return result


if __name__ == "__main__":
    main()
