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
from edgebatch_artifact.settings.conf_folder import groups, is_global, read_file
from edgebatch_artifact.settings.configuration import build_setting
from edgebatch_artifact.settings.hydra_errors import keys_of, near_keys, refusal
from edgebatch_artifact.storage.trace_file import name_trace

DISPLAY_KEYS = {"figure", "sample", "regime"}
"""Keys of a composed configuration that change no setting: what is drawn, and names."""


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
        Where a key comes from, if not from the file of its own group: an override, or a file that sets
        keys of the root.
    """

    data: dict[str, Any]
    choices: dict[str, str]
    origins: dict[str, str] = field(default_factory=dict)


def compose_config(conf: Path, overrides: Iterable[str], where: str = "command line") -> Composed:
    """Compose conf/config.yaml with Hydra overrides.

    Raises an `InputError` for an override that names no group, file or key, with the nearest that exists.
    """
    overrides = list(overrides)
    known = groups(conf)
    for override in overrides:
        check_choice(override, known, where)
    try:
        composed = _compose_with_hydra(conf, overrides)
    except Exception as error:  # Hydra lets through whatever its parsers raise
        raise refusal(error, conf, overrides, where) from None
    chosen = composed.hydra.runtime.choices.items()
    files = {group: str(name) for group, name in chosen if group in known}
    keys = [override.lstrip("+~").partition("=")[0] for override in overrides]
    origins = _origins(conf, files) | {key: where for key in keys if key not in known}
    try:
        # one key after the other: what Hydra needs for itself stays unresolved
        data = {
            str(key): OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
            for key, node in composed.items()
            if key != "hydra"
        }
    except Exception as error:  # OmegaConf as well
        raise _unresolved(error, composed, Composed({}, files, origins)) from None
    return Composed(data, files, origins)


def _compose_with_hydra(conf: Path, overrides: list[str]) -> DictConfig:
    logging.getLogger("hydra").setLevel(logging.ERROR)
    with initialize_config_dir(str(conf.resolve()), version_base="1.3"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters of them is an error of ours
        composed = compose("config", overrides, return_hydra_config=True)
    OmegaConf.set_struct(composed, False)
    return composed


def _origins(conf: Path, files: Mapping[str, str]) -> dict[str, str]:
    """The file that each key comes from, where that is one that sets keys of the root."""
    origins: dict[str, str] = {}
    for group, name in sorted(files.items(), key=lambda item: item[0] == "experiment"):
        shown = f"conf/{group}/{name}.yaml"
        if is_global(conf / group / f"{name}.yaml", shown):
            origins |= dict.fromkeys(_leaves(read_file(conf, group, name)), shown)
    return origins


def _leaves(data: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Dotted keys of all values that a file sets in the configuration."""
    for key, value in data.items():
        if prefix or key not in DISPLAY_KEYS | {"defaults", "hydra"}:
            if isinstance(value, Mapping) and value:
                yield from _leaves(value, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}"


def compose_files(conf: Path, files: Iterable[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """Compose single files of groups, each by itself: (group, file) to its content.

    A file that sets keys of the root gives what it says under the name of its group.
    """
    files = list(files)
    whole = {(g, f) for g, f in files if is_global(conf / g / f"{f}.yaml", f"conf/{g}/{f}.yaml")}
    own = [file for file in files if file not in whole]
    data = compose_config(conf, [f"+{g}@alternatives.{g}.{f}={f}" for g, f in own]).data
    contents = {(g, f): data["alternatives"][g][f] for g, f in own}
    return contents | {(g, f): read_file(conf, g, f).get(g, {}) for g, f in whole}


def setting_of(composed: Composed) -> Setting:
    """The setting of a composed configuration.

    Raises an `InputError` that names the file, or the command line, that the key comes from.
    """
    data = {key: value for key, value in composed.data.items() if key not in DISPLAY_KEYS}
    try:
        return build_setting(data, composed.choices["model"], name_trace)
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
    if missing:
        reference, expected = f"${{{missing[1]}}}", one_of(missing[1], near_keys(missing[1], known))
        return InputError(key, reference, expected, _origin(key, files))
    expected = "a reference to a key, such as ${speedup.w4}"
    return InputError(key, "a reference that cannot be read", expected, _origin(key, files))
