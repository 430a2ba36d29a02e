"""The pipeline with two experiments, so that a whole run takes seconds; and what it publishes."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from tests.workflow.checkout import PARTS, copy_checkout, environment

KEPT = ("throughput_vs_accuracy", "throughput_vs_arrival_rate")
CLAIMS = """\
confidence: 0.95
claims:
  - id: C2
    says: DFTSP surpasses the batching benchmarks in throughput across quantization techniques
    certainty: abstract
    test: surpasses
    experiments: [throughput_vs_accuracy]
    column: throughput_per_s
    of: dftsp
    over: [static_batching, no_batching]
"""
PAPER = r"""\documentclass[twocolumn]{article}
\pdfinfoomitdate=1
\pdftrailerid{}
\pdfsuppressptexinfo=-1
\usepackage[T1]{fontenc}
\usepackage{booktabs,graphicx}
\input{values}
\begin{document}
\val{claim/C2/verdict}, Table~\ref{tab:claims}
\input{tables/claims}\input{tables/throughput_vs_accuracy}
\includegraphics[width=\columnwidth]{../figures/throughput_vs_arrival_rate.pdf}
\includegraphics[width=\columnwidth]{race.pdf}
\end{document}
"""
PUBLISHED = ("*.csv", "*.pdf", "*.png", "*.tex", "*.html", "*.md")
SMOKE = ("--config", "scale=smoke")


def whole_project(to: Path) -> Path:
    """A copy of the project with the options of every run."""
    return copy_checkout(to, parts=PARTS)


def small_project(to: Path) -> Path:
    """Such a copy with two experiments, one claim and a paper of one page."""
    folder = whole_project(to)
    for path in (folder / "conf/experiment").glob("*.yaml"):
        if path.stem not in KEPT:
            path.unlink()
    (folder / "conf/claims.yaml").write_text(CLAIMS)
    (folder / "paper/main.tex").write_text(PAPER)
    return folder


def command(cores: int = 2) -> list[str]:
    """The command of every run at smoke scale."""
    return [sys.executable, "-m", "snakemake", "--nocolor", "--cores", str(cores), *SMOKE]


def start(folder: Path, log: Path, cores: int = 2, **variables: str) -> subprocess.Popen:
    """A run in a process group of its own; what it says goes to the end of `log`."""
    with log.open("a") as said:
        return subprocess.Popen(
            command(cores),
            cwd=folder,
            env=environment(folder) | variables,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def published(folder: Path) -> dict[str, str]:
    """Digests of all files that a run at smoke scale gives, simulated results among them."""
    below = folder / "results"
    paths = [path for ending in PUBLISHED for path in (below / "smoke").rglob(ending)]
    paths = [path for path in paths if not {"build", "logs"} & set(path.parts)]
    paths += below.glob("runs/*")
    return {
        os.fspath(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths
    }


def differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Names of the files that only one has, or whose bytes differ."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
