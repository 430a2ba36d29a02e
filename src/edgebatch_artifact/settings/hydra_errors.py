"""One line for what Hydra refuses: the file or the command line, the key, and the nearest that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from edgebatch.errors import InputError, one_of
from edgebatch_artifact.settings.conf_folder import files, shown
from edgebatch_artifact.storage.yaml_file import read_yaml


def refusal(error: Exception, conf: Path, overrides: Sequence[str], where: str) -> InputError:
    """What is wrong, for people, where Hydra could not compose `conf` with `overrides`."""
    text = " ".join(str(error).split())
    missing = re.search(r"Could not override '([^']+)'", text) or re.search(r"Key '([^']+)' is not in", text)
    if missing:
        key = missing[1]
        found = next((o for o in overrides if o.lstrip("+~").startswith(f"{key}=")), key)
        nominal = keys_of(_nominal(conf))
        return InputError(
            key, "an unknown key", one_of(key, near_keys(found.partition("=")[0], nominal)), where
        )
    # a file that cannot be read is the cause, whatever Hydra made of it
    for path in files(conf):
        try:
            if path.parent.name != "experiment" or shown(conf, path) == where:
                read_yaml(path, shown(conf, path))
        except InputError as unreadable:
            return unreadable
    absent = re.search(r"In '([^']+)': Could not (?:find|load) '([^']+)'", text)
    if absent:
        group = absent[2].rpartition("/")[0]
        siblings = [f"{group}/{path.stem}" for path in sorted((conf / group).glob("*.yaml"))] if group else []
        offered = re.search(r"Available options in '[^']+': ([\w, ]+?)(?: Config search|$)", text)
        if not siblings and offered:  # a group of Hydra's own
            siblings = [f"{group}/{name.strip()}" for name in offered[1].split(",")]
        folders = [path.name for path in conf.iterdir() if path.is_dir()]
        expected = one_of(absent[2], siblings or folders)
        return InputError("defaults", repr(absent[2]), expected, _naming(absent[2], absent[1], conf, where))
    return InputError("", _in_short(text) or type(error).__name__, "what Hydra can compose", where)


def _naming(file: str, named_by: str, conf: Path, where: str) -> str:
    """The file that names another one: the experiment at hand if it does, else the one that Hydra tells."""
    own = conf / where.removeprefix("conf/")
    named = own.is_file() and file.rpartition("/")[2] in own.read_text(encoding="utf-8")
    return where if named or not (conf / f"{named_by}.yaml").is_file() else f"conf/{named_by}.yaml"


def _in_short(text: str) -> str:
    """The first sentence of an error of Hydra, without its advice."""
    text = re.split(r" (?:See https|1\. To use|Config search path)", text)[0]
    return re.sub(r"^LexerNoViableAltException: ", "no override: ", text)[:300]


def _nominal(conf: Path) -> Any:
    try:
        with initialize_config_dir(str(conf.resolve()), version_base="1.3"):
            return OmegaConf.to_container(compose("config"), resolve=False)
    except Exception:
        return {}  # then no name is near


def keys_of(node: object, prefix: str = "") -> list[str]:
    """Dotted keys of nested mappings."""
    return list(_keys(node, prefix))


def _keys(node: object, prefix: str) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            yield f"{prefix}{name}"
            yield from _keys(value, f"{prefix}{name}.")


def near_keys(key: str, known: list[str]) -> list[str]:
    """Of the known dotted keys those beside `key`, or those of the root."""
    siblings = [k for k in known if k.rpartition(".")[0] == key.rpartition(".")[0]]
    return siblings or [k for k in known if "." not in k]
