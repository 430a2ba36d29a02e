"""LaTeX and Jupyter, run without the user's own configuration of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from edgebatch.errors import InputError


def typeset(source: Path, benchmarks: Path, pdf: Path) -> None:
    """Typeset `source` in the folder of `pdf`, which holds values, tables and, beside it, figures.

    All paths are relative to that folder, since TeX splits a path at colons and commas.
    """
    folder = pdf.parent
    build = folder / "build"
    shutil.rmtree(build, ignore_errors=True)  # of a run that was killed, perhaps cut short
    inputs = os.pathsep.join([".", os.path.relpath(benchmarks, folder), ""])
    fixed = {"TEXINPUTS": inputs, "TEXMFHOME": os.devnull, "SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TEX", "BIBINPUTS"))}
    options = ("-norc", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-outdir=build")
    _run(["latexmk", *options, os.path.relpath(source, folder)], folder, kept | fixed)
    (build / pdf.name).replace(pdf)


def execute_notebook(notebook: Path, page: Path, variables: Mapping[str, str]) -> None:
    """Execute a notebook with the kernel of this environment, and write it as a page of HTML."""
    with TemporaryDirectory() as temporary:
        own = dict.fromkeys(("JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), temporary)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER_")}
        # the kernel starts in the notebook's folder
        own["PYTHONPATH"] = os.path.relpath("src", notebook.parent)
        options = ("--execute", "--to", "html", "--output-dir", temporary, "--output", page.name)
        command = [sys.executable, "-m", "nbconvert", *options, str(notebook)]
        _run(command, Path("."), kept | own | {"JUPYTER_NO_CONFIG": "1"} | dict(variables))
        page.parent.mkdir(parents=True, exist_ok=True)
        part = page.with_name(f".part-{page.name}")
        shutil.copyfile(Path(temporary, page.name), part)
        part.replace(page)


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        found = f"exit status {done.returncode}"
        raise InputError("", found, "0: what it says stands above", command[0])
