"""Copies of the checkout without results, in which benchmarks and tests run the pipeline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    *("conf", "src", "workflow", "profiles", "paper", "notebooks", "benchmarks", "measurements", "workloads"),
    *("Snakefile", "pyproject.toml", "environment.yml"),
)
"""What the pipeline needs."""

MADE = (
    *("results", "figures", "report.html", "CLAIMS.md", "ASSUMPTIONS.md", ".snakemake"),
    *("paper/tables", "paper/values.tex", "paper/build", "paper/main.pdf"),
)
"""What it makes."""


def copy_checkout(to: Path, source: Path = ROOT, parts: Iterable[str] = PARTS) -> Path:
    """Copy parts of a checkout, with times and compiled code, without anything that the pipeline makes."""
    to.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if (source / part).is_dir():
            shutil.copytree(source / part, to / part, ignore=shutil.ignore_patterns("*.egg-info"))
        elif (source / part).exists():
            shutil.copy2(source / part, to / part)
    forget(to)
    return to


@contextmanager
def checkout() -> Iterator[Path]:
    """A copy of the checkout in a temporary folder."""
    with TemporaryDirectory(prefix="edgebatch-") as folder:
        yield copy_checkout(Path(folder) / "checkout")


def forget(copy: Path) -> None:
    """Delete what the pipeline has made."""
    for name in MADE:
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def environment(folder: Path) -> dict[str, str]:
    """Variables with which the code of `folder`, else of this checkout, runs by this interpreter's tools."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    code = os.pathsep.join([str(folder / "src"), str(ROOT / "src")])
    return os.environ | {"PATH": path, "PYTHONPATH": code, "OMP_NUM_THREADS": "1"}


def run(copy: Path, *command: str) -> float:
    """Wall time of a command in the copy, with the copy's own code."""
    begin = time.perf_counter()
    done = subprocess.run(
        command, cwd=copy, env=environment(copy), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return time.perf_counter() - begin


def simulations(copy: Path) -> list[dict[str, Any]]:
    """What each simulation logged: its run, and the seconds that its parts took."""
    logs = sorted((copy / "results" / "logs" / "simulate").glob("*.log"))
    return [json.loads(line) for path in logs for line in path.read_text().splitlines()]


def disk_mb(folder: Path) -> float:
    """What the files of a folder take up on the disk, in whole blocks; links are not followed."""
    files = (path.lstat() for path in folder.rglob("*"))
    return sum(512 * file.st_blocks for file in files) / 1e6
