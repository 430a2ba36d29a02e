"""From conf/ to settings: every experiment's points, compiled once and cached by content.

A cache hit reads one file and imports no Hydra, since every job on another machine parses the
workflow again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from artifact.files import write_if_changed
from artifact.fingerprint import fingerprint
from artifact.points import Experiment, Grid, Point


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
