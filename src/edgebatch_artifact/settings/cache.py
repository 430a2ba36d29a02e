"""From conf/ to settings: every experiment's points, compiled once and cached by content.

A cache hit reads one file an experiment and imports no Hydra, since every job on another machine
parses the workflow again.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch_artifact.settings.points import Experiment, Grid, Point
from edgebatch_artifact.storage.files import write
from edgebatch_artifact.storage.fingerprint import fingerprint
from edgebatch_artifact.storage.sealed import read_sealed, seal


def load(conf: Path, cache: Path, scale: str, most_settings: int | None = None) -> Grid:
    """The grid of `conf` at a scale of conf/scale/, from the folder `cache` where that is current.

    Parameters
    ----------
    most_settings
        Settings that all sweeps may have together; None for what conf/config.yaml allows.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used, and for sweeps of more settings than allowed.
    """
    keys = _keys(conf, scale)
    stored: dict[str, Any] = {name: _read(cache / f"{name}.json", key) for name, key in keys.items()}
    outdated = [name for name, entry in stored.items() if entry is None]
    sizes = {name: entry["experiment"]["size"] for name, entry in stored.items() if entry}
    allowed = next((entry["allowed"] for entry in stored.values() if entry), 0)
    if outdated:
        from edgebatch_artifact.settings.expand import allowed_settings, compile_grid, experiment_sizes

        sizes |= experiment_sizes(conf, outdated)
        allowed = allowed_settings(conf)
    _refuse_too_many(sizes, most_settings or allowed)
    if outdated:
        compiled = compile_grid(conf, scale, outdated)
        for name, experiment in compiled.experiments.items():
            needed = {point.id: compiled.settings[point.id] for point in experiment.points}
            entry = {
                "key": keys[name],
                "experiment": asdict(experiment),
                "settings": needed,
                "allowed": allowed,
            }
            write(cache / f"{name}.json", seal(entry, name))
            stored[name] = entry
    experiments, settings = {}, {}
    for name, entry in stored.items():
        data = entry["experiment"]
        points = tuple(Point(**point) for point in data["points"])
        experiments[name] = Experiment(name, data["figure"], data["labels"], points, data["size"])
        settings |= entry["settings"]
    return Grid(experiments, settings)


def _refuse_too_many(sizes: dict[str, int], allowed: int) -> None:
    """Ask for a flag before sweeps that may take days; nothing is expanded yet."""
    total = sum(sizes.values())
    if total > allowed:
        largest = max(sizes, key=lambda name: sizes[name])
        found = f"a sweep of {sizes[largest]} settings ({total} with all experiments)"
        expected = f"at most {allowed}, or the flag --config most_settings={total} to go on"
        raise InputError("hydra.sweeper.params", found, expected, f"conf/experiment/{largest}.yaml")


def _read(path: Path, key: str) -> dict[str, Any] | None:
    """What is stored of an experiment, unless it is damaged or of another configuration."""
    stored = read_sealed(path)
    return stored if stored is not None and stored["key"] == key else None


def _keys(conf: Path, scale: str) -> dict[str, str]:
    """For each experiment a digest of all that it is compiled from: conf/ without other experiments."""
    for path in sorted(conf.rglob("*.yml")):
        raise InputError("", "a file that ends in .yml", "the ending .yaml", f"conf/{path.relative_to(conf)}")
    if not any((conf / "experiment").glob("*.yaml")):
        raise InputError("", "no experiment", "a file NAME.yaml", "conf/experiment")
    shared = hashlib.sha256(f"{fingerprint('edgebatch_artifact.settings.expand')} {scale}".encode())
    experiments = {}
    for path in sorted(conf.rglob("*.yaml")):
        content = f"\n{path.relative_to(conf)}\n".encode() + _bytes(path, f"conf/{path.relative_to(conf)}")
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


def _bytes(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        found = "a broken link" if path.is_symlink() else (error.strerror or "no access").lower()
        raise InputError("", found, "a readable file", where) from None
