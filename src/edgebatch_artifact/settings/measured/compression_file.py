"""Reading conf/compression.yaml and conf/compression/."""

from __future__ import annotations

from pathlib import Path

from edgebatch.errors import InputError
from edgebatch.schema import read
from edgebatch_artifact.settings.conf_folder import groups, read_file, shown
from edgebatch_artifact.settings.measured.compression import CompressionConfig, CompressionRun
from edgebatch_artifact.storage.yaml_file import read_yaml

WHERE = "conf/compression.yaml"


def read_compression_config(conf: Path) -> CompressionConfig:
    """Read what all runs share."""
    try:
        return read(CompressionConfig, read_yaml(conf / "compression.yaml", WHERE))
    except InputError as error:
        raise error.at(WHERE) from None


def run_file(conf: Path, name: str) -> str:
    """Name of a run's file in messages."""
    return shown(conf, conf / "compression" / f"{name}.yaml")


def read_runs(conf: Path) -> dict[str, CompressionRun]:
    """Every run by the name of its file, in alphabetical order."""
    runs = {}
    for name in sorted(groups(conf).get("compression", ())):
        try:
            runs[name] = read(CompressionRun, read_file(conf, "compression", name))
        except InputError as error:
            raise error.at(run_file(conf, name)) from None
    return runs
