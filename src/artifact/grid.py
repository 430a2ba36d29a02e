"""From conf/ to settings: every experiment's points, compiled once and cached by content.

A cache hit reads one file an experiment and imports no Hydra, since every job on another machine
parses the workflow again.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from artifact.files import write
from artifact.fingerprint import fingerprint
from artifact.points import Experiment, Grid, Point
from artifact.sealed import read_sealed, seal


def load(conf: Path, cache: Path, scale: str) -> Grid:
    """The grid of `conf` at a scale of conf/scale/, from the folder `cache` where that is current.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    keys = _keys(conf, scale)
    stored: dict[str, Any] = {name: _read(cache / f"{name}.json", key) for name, key in keys.items()}
    outdated = [name for name, entry in stored.items() if entry is None]
    if outdated:
        from artifact.compile import compile_grid

        compiled = compile_grid(conf, scale, outdated)
        for name, experiment in compiled.experiments.items():
            needed = {point.id: compiled.settings[point.id] for point in experiment.points}
            entry = {"key": keys[name], "experiment": asdict(experiment), "settings": needed}
            write(cache / f"{name}.json", seal(entry, name))
            stored[name] = entry
    experiments, settings = {}, {}
    for name, entry in stored.items():
        data = entry["experiment"]
        points = tuple(Point(**point) for point in data["points"])
        experiments[name] = Experiment(name, data["figure"], data["labels"], points)
        settings |= entry["settings"]
    return Grid(experiments, settings)


def _read(path: Path, key: str) -> dict[str, Any] | None:
    """What is stored of an experiment, unless it is damaged or of another configuration."""
    stored = read_sealed(path)
    return stored if stored is not None and stored["key"] == key else None


def _keys(conf: Path, scale: str) -> dict[str, str]:
    """For each experiment a digest of all that it is compiled from: conf/ without other experiments."""
    shared = hashlib.sha256(f"{fingerprint('artifact.compile')} {scale}".encode())
    experiments = {}
    for path in sorted(conf.rglob("*.yaml")):
        content = f"\n{path.relative_to(conf)}\n".encode() + path.read_bytes()
        if path.parent == conf / "experiment":
            experiments[path.stem] = content
        else:
            shared.update(content)
    keys = {}
    for name, content in experiments.items():
        digest = shared.copy()
        digest.update(content)
        keys[name] = digest.hexdigest()
    return keys
