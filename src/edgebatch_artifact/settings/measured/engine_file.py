"""Reading conf/engine.yaml."""

from __future__ import annotations

from pathlib import Path

from edgebatch.errors import InputError, one_of
from edgebatch.schema import read
from edgebatch_artifact.settings.conf_folder import groups
from edgebatch_artifact.settings.measured.engine import EngineConfig
from edgebatch_artifact.storage.yaml_file import read_yaml

WHERE = "conf/engine.yaml"


def read_engine_config(conf: Path, measurement: str | None = None) -> EngineConfig:
    """Read conf/engine.yaml; `measurement` replaces its choice of one."""
    data = read_yaml(conf / "engine.yaml", WHERE)
    try:
        config = read(EngineConfig, data | ({"measurement": measurement} if measurement else {}))
        known = groups(conf).get("scheduler", ())
        for place, run in enumerate(config.replay.runs):
            if run.scheduler not in known:
                raise InputError(
                    f"replay.runs[{place}].scheduler", repr(run.scheduler), one_of(run.scheduler, known)
                )
    except InputError as error:
        raise error.at(WHERE) from None
    return config
