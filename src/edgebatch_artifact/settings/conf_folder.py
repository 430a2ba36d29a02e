"""The files of conf/: which there are, and which of them set keys of the root."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch_artifact.storage.yaml_file import read_utf8, read_yaml


def shown(conf: Path, path: Path) -> str:
    """Name of a file of `conf` in messages, whatever the folder is called."""
    return f"conf/{path.relative_to(conf).as_posix()}"


def files(conf: Path) -> list[Path]:
    """Every YAML file below `conf`, in order; hidden files, such as ``._x.yaml`` of macOS, are skipped."""
    found = [path for path in sorted(conf.rglob("*.y*ml")) if not path.name.startswith(".")]
    for path in found:
        if path.suffix == ".yml":
            raise InputError("", "a file that ends in .yml", "the ending .yaml", shown(conf, path))
    return found


def groups(conf: Path) -> dict[str, tuple[str, ...]]:
    """The groups of `conf` and the files of each."""
    if not (conf / "config.yaml").is_file():
        raise InputError("", "no config.yaml", "the folder of the configuration", str(conf))
    folders = [path.name for path in conf.iterdir() if path.is_dir() and not path.name.startswith(".")]
    names: dict[str, list[str]] = {folder: [] for folder in sorted(folders)}
    for path in files(conf):
        if path.parent.name in names and path.parent.parent == conf:
            names[path.parent.name].append(path.stem)
    return {folder: tuple(stems) for folder, stems in names.items()}


def read_file(conf: Path, group: str, name: str) -> dict[str, Any]:
    """The content of one file of a group; interpolations are left as they are."""
    path = conf / group / f"{name}.yaml"
    return read_yaml(path, shown(conf, path))


def is_global(path: Path, where: str) -> bool:
    """Whether the first line of a file tells Hydra that its keys belong to the root, not to its group."""
    first = read_utf8(path, where).strip().partition("\n")[0]
    return re.fullmatch(r"#+\s*@package\s+_global_\s*", first) is not None
