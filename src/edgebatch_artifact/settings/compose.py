"""Hydra: from conf/ and overrides to composed configurations, with errors that name the file."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from edgebatch.errors import InputError, one_of
from edgebatch.setting import Setting
from edgebatch_artifact.settings import configuration as config
from edgebatch_artifact.settings.hydra_errors import keys_of, near_keys, refusal
from edgebatch_artifact.storage.yaml_file import read_yaml


@dataclass(frozen=True)
class Composed:
    """A composed configuration, and the file chosen of each group.

    Attributes
    ----------
    data
        Nested mappings, interpolations resolved.
    choices
        File of conf/ chosen for each group, such as ``{"model": "opt_13b"}``.
    origins
        Where a key comes from, if not from the file of its own group: an override, or a file that
        reaches beyond its group.
    """

    data: dict[str, Any]
    choices: dict[str, str]
    origins: dict[str, str] = field(default_factory=dict)


def groups(conf: Path) -> dict[str, tuple[str, ...]]:
    """The groups of conf/ and the files of each."""
    if not (conf / "config.yaml").is_file():
        raise InputError("", "no config.yaml", "the folder of the configuration", str(conf))
    return {
        folder.name: tuple(sorted(path.stem for path in folder.glob("*.yaml")))
        for folder in sorted(conf.iterdir())
        if folder.is_dir()
    }


def compose_config(conf: Path, overrides: Iterable[str], where: str = "command line") -> Composed:
    """Compose conf/config.yaml with Hydra overrides.

    Raises
    ------
    InputError
        For an override that names no group, file or key, naming the nearest that exists.
    """
    overrides = list(overrides)
    known = groups(conf)
    for override in overrides:
        check_choice(override, known, where)
    try:
        composed, files = compose_with_hydra(conf, tuple(overrides))
    except Exception as error:  # Hydra lets through whatever its parsers raise
        raise refusal(error, conf, overrides, where) from None
    keys = [override.lstrip("+~").partition("=")[0] for override in overrides]
    found = origins(conf, files) | {key: where for key in keys if key not in known}
    try:
        data = resolved(composed)
    except Exception as error:  # OmegaConf as well
        raise _unresolved(error, composed, Composed({}, files, found)) from None
    return Composed(data, files, found)


def compose_with_hydra(conf: Path, overrides: tuple[str, ...]) -> tuple[DictConfig, dict[str, str]]:
    """What Hydra composes, open to more keys and with interpolations as they are; and the files chosen."""
    logging.getLogger("hydra").setLevel(logging.ERROR)
    with initialize_config_dir(str(conf.resolve()), version_base="1.3"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of them is an error of ours
        composed = compose("config", list(overrides), return_hydra_config=True)
    choices = dict(composed.hydra.runtime.choices)
    OmegaConf.set_struct(composed, False)
    known = groups(conf)
    return composed, {group: str(name) for group, name in choices.items() if group in known}


def resolved(composed: DictConfig) -> dict[str, Any]:
    """Nested mappings of a composed configuration, without what Hydra needs for itself."""
    return {
        str(key): OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
        for key, node in composed.items()
        if key != "hydra"
    }


def origins(conf: Path, files: Mapping[str, str]) -> dict[str, str]:
    """The file that each key comes from, where that is one that reaches beyond its own group."""
    found: dict[str, str] = {}
    for group, name in sorted(files.items(), key=lambda item: item[0] == "experiment"):
        path = conf / group / f"{name}.yaml"
        if reaches_out(path):
            shown = f"conf/{group}/{name}.yaml"
            found |= dict.fromkeys(_leaves(read_yaml(path, shown)), shown)
    return found


def reaches_out(path: Path) -> bool:
    """Whether a file of a group sets keys outside that group."""
    return "@package _global_" in path.read_text(encoding="utf-8")


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted keys of all values that a file sets in the configuration."""
    for key, value in data.items():
        if prefix or key not in NOT_SETTING | {"defaults", "hydra"}:
            if isinstance(value, Mapping) and value:
                yield from _leaves(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}"


def compose_files(conf: Path, files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Compose single files of groups, each by itself: (group, file) to its content.

    A file that sets keys outside its group gives what it says under the name of its group.
    """
    files = list(files)
    paths = {(g, f): conf / g / f"{f}.yaml" for g, f in files}
    reaching = {file for file, path in paths.items() if reaches_out(path)}
    own = [file for file in files if file not in reaching]
    data = compose_config(conf, [f"+{g}@alternatives.{g}.{f}={f}" for g, f in own]).data
    result = {(g, f): data["alternatives"][g][f] for g, f in own}
    return result | {(g, f): read_yaml(paths[g, f], f"conf/{g}/{f}.yaml").get(g, {}) for g, f in reaching}


NOT_SETTING = {"figure", "sample", "regime"}
"""Keys of a composed configuration that decide no setting: what is drawn, and names."""


def setting(composed: Composed) -> Setting:
    """The setting of a composed configuration.

    Raises
    ------
    InputError
        Naming the file, or the command line, that the key comes from.
    """
    data = {key: value for key, value in composed.data.items() if key not in NOT_SETTING}
    try:
        return config.setting(data, composed.choices["model"])
    except InputError as error:
        raise error.at(_origin(error.key, composed)) from None


def _origin(key: str, composed: Composed) -> str:
    for prefix, where in reversed(composed.origins.items()):
        if key == prefix or key.startswith((f"{prefix}.", f"{prefix}[")):
            return where
    group = re.split(r"[.\[]", key)[0]
    group = {"simulation": "scale", "grid": "scale"}.get(group, group)
    inside = [where for prefix, where in composed.origins.items() if prefix.startswith(f"{key}.")]
    if inside and group not in composed.choices:
        return inside[-1]
    return f"conf/{group}/{composed.choices[group]}.yaml" if group in composed.choices else "conf/config.yaml"


def check_choice(override: str, known: Mapping[str, tuple[str, ...]], where: str) -> None:
    """Refuse an override that sets nothing, or chooses a file that a group does not have."""
    name, separator, value = override.lstrip("+~").partition("=")
    if not separator or not name.strip():
        raise InputError(override, f"no {'value' if name else 'key'}", "key=value", where)
    if "." not in name and name in known and value not in known[name]:
        raise InputError(name, repr(value), one_of(value, known[name]), where)


def _unresolved(error: Exception, composed: DictConfig, files: Composed) -> InputError:
    """One line for an interpolation that leads nowhere."""
    key = str(getattr(error, "full_key", None) or "")
    known = keys_of(OmegaConf.to_container(composed, resolve=False))
    missing = re.search(r"Interpolation key '([^']+)' not found", str(error))
    expected = "a reference to a key, such as ${speedup.w4}"
    found = "a reference that cannot be read"
    if missing:
        found, expected = f"${{{missing[1]}}}", one_of(missing[1], near_keys(missing[1], known))
    return InputError(key, found, expected, _origin(key, files))
