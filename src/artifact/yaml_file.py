"""Reading YAML as Hydra reads it, so that 5.0e6 is a number in every file of conf/."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from edgebatch.errors import InputError


def read_yaml(path: Path, where: str) -> dict[str, Any]:
    """The mapping in a YAML file; interpolations are left as they are.

    Raises
    ------
    InputError
        If the file is not there, not YAML, or not a mapping.
    """
    try:
        data = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    except yaml.MarkedYAMLError as error:
        line = 1 + (error.problem_mark.line if error.problem_mark else 0)
        raise InputError(f"line {line}", error.problem or "a mistake", "YAML", where) from None
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError) as error:
        raise InputError("", " ".join(str(error).split()), "YAML in UTF-8", where) from None
    except OSError as error:
        found = (error.strerror or "no access").lower()
        raise InputError("", found, "a readable file", where) from None
    if not isinstance(data, dict):
        raise InputError("", "no mapping", "a mapping", where)
    return {str(key): value for key, value in data.items()}
