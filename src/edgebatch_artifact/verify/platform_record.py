"""figures/platform.json: where the figures were made, and a digest of each of their files.

Bytes are the same on the platform that is recorded here, and only there can `artifact verify` ask for them.
"""

from __future__ import annotations

import json
import platform
import zlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
from matplotlib import ft2font

from edgebatch.errors import InputError
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.schema import Checked, read
from edgebatch_artifact.storage.files import sha256, write

PACKAGES = ("llvmlite", "matplotlib", "numba", "numpy", "pandas", "pillow", "scipy", "seaborn")
"""Packages whose version can decide a digit of a result or a byte of a figure."""


class Record(Checked):
    """The file's content.

    Attributes
    ----------
    platform
        Where the files were made: what `here` tells there.
    sha256
        Digest of each file, by its name.
    """

    platform: dict[str, str]
    sha256: dict[str, str]


def here() -> dict[str, str]:
    """What decides the last digit of a float and the bytes of a picture on this machine."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "simd": " ".join(simd.get("found", [])),
        "libc": " ".join(platform.libc_ver()).strip() or platform.release(),
        "python": ".".join(platform.python_version_tuple()[:2]),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        "freetype": ft2font.__freetype_version__,
        **{name: version(name) for name in PACKAGES},
    }


def differences(there: Mapping[str, str]) -> str:
    """In what another platform differs from this one."""
    ours = here()
    keys = sorted(key for key in {**ours, **there} if ours.get(key) != there.get(key))
    pairs = ((key, there.get(key, "unknown"), ours.get(key, "unknown")) for key in keys)
    return ", ".join(f"{key} {theirs} there, {own} here" for key, theirs, own in pairs)


def read_record(path: Path) -> Record:
    """Read the file.

    Raises
    ------
    InputError
        If it is not there, or not what it should be.
    """
    try:
        return read(Record, parse_json(read_text(path)))
    except InputError as error:
        raise error.at(str(path)) from None


def record(path: Path, files: Sequence[Path]) -> None:
    """Write where `files` were made: here, unless `path` says already where these very bytes were made.

    So another platform that makes the same bytes changes nothing.
    """
    made = {file.name: sha256(file) for file in files}
    try:
        if read_record(path).sha256 == made:
            return
    except InputError:
        pass
    write(path, json.dumps({"platform": here(), "sha256": made}, indent=1, sort_keys=True) + "\n")
