"""A copy of the checkout without results, in which the benchmarks run the pipeline."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COPIED = (
    *("conf", "src", "workflow", "profiles", "paper", "notebooks", "benchmarks"),
    *("Snakefile", "pyproject.toml", "environment.yml"),
)
MADE = (
    *("results", "figures", "report.html", "CLAIMS.md", "ASSUMPTIONS.md", ".snakemake"),
    *("paper/tables", "paper/values.tex", "paper/build", "paper/main.pdf"),
)


@contextmanager
def checkout() -> Iterator[Path]:
    """A folder with what the pipeline needs, and nothing that it makes."""
    with TemporaryDirectory(prefix="edgebatch-") as folder:
        copy = Path(folder) / "checkout"
        copy.mkdir()
        for name in COPIED:
            source = ROOT / name
            (shutil.copytree if source.is_dir() else shutil.copy2)(source, copy / name)
        forget(copy)
        yield copy


def forget(copy: Path) -> None:
    """Delete what the pipeline has made."""
    for name in MADE:
        path = copy / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def run(copy: Path, *command: str) -> float:
    """Wall time of a command in the copy, with the copy's own code."""
    environment = dict(os.environ, PYTHONPATH=str(copy / "src"))
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
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
