"""From conf/ to settings: every experiment's points, compiled once and cached by content.

A cache hit reads one file and imports no Hydra, since every job on another machine parses the
workflow again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from artifact.files import write_if_changed
from artifact.fingerprint import fingerprint


@dataclass(frozen=True)
class Point:
    """One setting of an experiment.

    Attributes
    ----------
    id
        Name of the setting by its content.
    scheduler
        Module of the scheduler, which decides with the rest of the code whether a result is current.
    axes
        Value of each swept key; for a group the name of the chosen file.
    """

    id: str
    scheduler: str
    axes: dict[str, Any]


@dataclass(frozen=True)
class Experiment:
    """A file of conf/experiment/, expanded.

    Attributes
    ----------
    figure
        What is drawn, as the file says it.
    labels
        How to name the values of each swept group: label, and for schedulers colour and marker.
    """

    name: str
    figure: dict[str, Any]
    labels: dict[str, dict[str, dict[str, Any]]]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Grid:
    """All experiments at one scale, and the settings that they need, by id."""

    experiments: dict[str, Experiment]
    settings: dict[str, dict[str, Any]]


def load(conf: Path, cache: Path, scale: str) -> Grid:
    """The grid of `conf` at a scale of conf/scale/, from `cache` if that is current.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    key = _key(conf, scale)
    try:
        stored = json.loads(cache.read_text())
        current = stored["key"] == key
    except (OSError, ValueError, KeyError, TypeError):
        current = False
    if not current:
        from artifact.compile import compile_grid

        stored = {"key": key, **asdict(compile_grid(conf, scale))}
        write_if_changed(cache, json.dumps(stored))
    experiments = {
        name: Experiment(
            name, data["figure"], data["labels"], tuple(Point(**point) for point in data["points"])
        )
        for name, data in stored["experiments"].items()
    }
    return Grid(experiments, stored["settings"])


def _key(conf: Path, scale: str) -> str:
    digest = hashlib.sha256(f"{fingerprint('artifact.compile')} {scale}".encode())
    for path in sorted(conf.rglob("*.yaml")):
        digest.update(f"\n{path.relative_to(conf)}\n".encode() + path.read_bytes())
    return digest.hexdigest()
