"""YAML as Hydra reads it, so that 5.0e6 is a number in every file of conf/."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError


def read_utf8(path: Path, where: str) -> str:
    """The text of a file; an `InputError` if it cannot be read, or is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError("", f"byte {error.start} that is not UTF-8", "YAML in UTF-8", where) from None
    except OSError as error:
        cause = "a broken link" if path.is_symlink() else (error.strerror or "no access").lower()
        raise InputError("", cause, "a readable file", where) from None


def read_yaml(path: Path, where: str) -> dict[str, Any]:
    """The mapping in a YAML file; interpolations are left as they are.

    Raises an `InputError` if the file is not there, not YAML, or not a mapping.
    """
    # jobs read no YAML, and need not wait for its readers
    import yaml
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    text = read_utf8(path, where)
    try:
        data = OmegaConf.to_container(OmegaConf.load(io.StringIO(text)), resolve=False)
    except yaml.MarkedYAMLError as error:
        line = 1 + (error.problem_mark.line if error.problem_mark else 0)
        problem = (error.problem or "a mistake").removeprefix("found ")
        raise InputError(f"line {line}", problem, "YAML", where) from None
    except RecursionError:
        raise InputError("", "nesting without end", "YAML of a few levels", where) from None
    except OSError:  # OmegaConf's, for a file that is one number
        raise InputError("", "no mapping", "a mapping", where) from None
    except (yaml.YAMLError, OmegaConfBaseException, ValueError, TypeError) as error:
        # ValueError and TypeError: numbers of thousands of digits, impossible dates, keys that are lists
        raise InputError("", _first_line(error), "YAML that can be read", where) from None
    if not isinstance(data, dict):
        raise InputError("", "no mapping", "a mapping", where)
    return {str(key): value for key, value in data.items()}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
