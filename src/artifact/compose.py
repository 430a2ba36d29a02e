"""Hydra: from conf/ and overrides to composed configurations, with errors that name the file."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from artifact import config
from artifact.setting import Setting
from artifact.yaml_file import read_yaml
from edgebatch.errors import InputError, one_of


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
        _check_choice(override, known, where)
    try:
        composed, files = compose_with_hydra(conf, tuple(overrides))
        data = resolved(composed)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError) as error:
        raise _as_input_error(error, conf, overrides, where) from None
    keys = [override.lstrip("+~").partition("=")[0] for override in overrides]
    return Composed(data, files, origins(conf, files) | {key: where for key in keys if key not in known})


def compose_with_hydra(conf: Path, overrides: tuple[str, ...]) -> tuple[DictConfig, dict[str, str]]:
    """What Hydra composes, open to more keys and with interpolations as they are; and the files chosen."""
    logging.getLogger("hydra").setLevel(logging.ERROR)
    with initialize_config_dir(str(conf.resolve()), version_base="1.3"):
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
    return f"conf/{group}/{composed.choices[group]}.yaml" if group in composed.choices else "conf/config.yaml"


def _check_choice(override: str, known: Mapping[str, tuple[str, ...]], where: str) -> None:
    name, separator, value = override.lstrip("+~").partition("=")
    if not separator:
        raise InputError(override, "no value", "key=value", where)
    if "." not in name and name in known and value not in known[name]:
        raise InputError(name, repr(value), one_of(value, known[name]), where)


def _as_input_error(error: Exception, conf: Path, overrides: list[str], where: str) -> InputError:
    """One line for an error of Hydra, OmegaConf or YAML."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        file = mark.name if mark.name.startswith(str(conf)) else "conf/"
        return InputError(f"line {mark.line + 1}", error.problem or "a mistake", "YAML", _shown(conf, file))
    text = " ".join(str(error).split())
    missing = re.search(r"Could not override '([^']+)'", text) or re.search(r"Key '([^']+)' is not in", text)
    if missing:
        key = missing[1]
        found = next((o for o in overrides if o.lstrip("+~").startswith(f"{key}=")), key)
        keys = _known_keys(conf)
        return InputError(key, "an unknown key", one_of(key, _near(found.partition("=")[0], keys)), where)
    return InputError("", text, "a configuration that Hydra can compose", where)


def _near(key: str, keys: list[str]) -> list[str]:
    siblings = [k for k in keys if k.rpartition(".")[0] == key.rpartition(".")[0]]
    return siblings or [k for k in keys if "." not in k]


def _known_keys(conf: Path) -> list[str]:
    with initialize_config_dir(str(conf.resolve()), version_base="1.3"):
        data = OmegaConf.to_container(compose("config"), resolve=False)
    keys: list[str] = []

    def collect(node: object, prefix: str) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                keys.append(f"{prefix}{name}")
                collect(value, f"{prefix}{name}.")

    collect(data, "")
    return keys


def _shown(conf: Path, file: str) -> str:
    return str(Path("conf") / Path(file).resolve().relative_to(conf.resolve())) if file != "conf/" else file


def _values(parsed: Override) -> list[Any]:
    if not parsed.is_sweep_override():
        return [parsed.value()]
    plain = OverridesParser.create()
    return [plain.parse_override(f"x={item}").value() for item in parsed.sweep_string_iterator()]


def sweep(params: Mapping[str, Any], where: str) -> dict[str, list[Any]]:
    """The values of each swept key, from ``hydra.sweeper.params`` in Hydra's sweeper grammar.

    Raises
    ------
    InputError
        For a value that the grammar does not have, or a sweep without values.
    """
    axes: dict[str, list[Any]] = {}
    for key, value in params.items():
        at = f"hydra.sweeper.params.{key}"
        try:
            parsed = OverridesParser.create().parse_override(f"{key}={value}")
        except HydraException as error:
            problem = str(error).splitlines()[0]
            found = f"{value!r} ({problem})"
            raise InputError(at, found, "values in Hydra's sweeper grammar", where) from None
        values = _values(parsed)
        if not values or values == [""]:
            raise InputError(at, "an empty sweep", "at least one value", where)
        axes[key] = values
    return axes
