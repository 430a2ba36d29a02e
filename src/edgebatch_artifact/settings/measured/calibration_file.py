"""The files of conf/calibration/."""

from __future__ import annotations

from pathlib import Path

from edgebatch.errors import InputError
from edgebatch.schema import read
from edgebatch_artifact.settings.conf_folder import groups, read_file
from edgebatch_artifact.settings.measured.calibration import Source, check_names


def read_sources(conf: Path) -> dict[str, Source]:
    """Every file of conf/calibration/, by name.

    Raises an `InputError` for what cannot be used, and for a model or a node that has no file.
    """
    known = groups(conf)
    sources = {}
    for name in known.get("calibration", ()):
        try:
            sources[name] = source = read(Source, read_file(conf, "calibration", name))
            for fit, entry in source.fits.items():
                check_names(f"fits.{fit}.models", entry.models, known["model"])
                check_names(f"fits.{fit}.edge_node", [entry.edge_node], known["edge_node"])
        except InputError as error:
            raise error.at(f"conf/calibration/{name}.yaml") from None
    return sources
