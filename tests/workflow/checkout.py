"""A copy of the project in a folder of its own, where Snakemake may run and code may be edited."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.checkout import PARTS, ROOT, copy_checkout, environment

__all__ = ["PARTS", "ROOT", "copy_checkout", "environment"]

MEASURED = "smollm2_135m_*"
"""Files of conf/quantization/ that experiments alone name."""


def copy_conf(to: Path) -> Path:
    """Copy conf/ without experiments, and without measured techniques, which take long to compose."""
    ignored = shutil.ignore_patterns("experiment", MEASURED)
    return Path(shutil.copytree(ROOT / "conf", to, ignore=ignored))


def copy_without_experiments(to: Path) -> Path:
    """Copy the checkout without experiments, claims and measured techniques, for those of a test."""
    folder = copy_checkout(to)
    for path in (*folder.glob("conf/experiment/*.yaml"), *folder.glob(f"conf/quantization/{MEASURED}")):
        path.unlink()
    (folder / "conf/claims.yaml").write_text("confidence: 0.95\nclaims: []\n")
    return folder


def execute(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run a command in `folder`; standard error goes with standard output."""
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment(folder),
        text=True,
        encoding="utf-8",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def snakemake(folder: Path, *arguments: str) -> str:
    """What Snakemake says; fails unless it succeeds."""
    done = execute(folder, sys.executable, "-m", "snakemake", "--nocolor", "--cores", "2", *arguments)
    assert done.returncode == 0, done.stdout
    return done.stdout


def jobs(folder: Path, *arguments: str) -> dict[str, int]:
    """Jobs that Snakemake would run now, by rule."""
    said = snakemake(folder, "--dry-run", *arguments)
    stats = said.partition("Job stats:")[2].strip().partition("\n\n")[0]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", stats, re.M) if rule != "total"}


def repeating(folder: Path, result: Path) -> list[str]:
    """The command that simulates the setting of a result alone."""
    id_ = result.stem.partition("-")[0]
    holding = [path for path in folder.rglob("experiments/*.json") if f'"{id_}": {{' in path.read_text()]
    return [sys.executable, "-m", "edgebatch_artifact.steps", "simulate", str(min(holding)), id_]


def example(page: str, language: str, *needed: str) -> str:
    """The first block of a page of the documentation in `language` that has all of the texts `needed`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)
    matching = [block for block in blocks if all(part in block for part in needed)]
    assert matching, f"{page} has no ```{language} block with {needed}"
    return matching[0]
