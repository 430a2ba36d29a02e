"""What the analysis reads: stored results, conf/claims.yaml, and what the last benchmarks stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from edgebatch.errors import InputError
from edgebatch.io.json_text import parse_json, read_text
from edgebatch.schema import describe
from edgebatch_artifact.analysis.claim_file import WHERE, Claims, parse_claims
from edgebatch_artifact.analysis.samples import samples_of
from edgebatch_artifact.calibration.calibrate import Calibration
from edgebatch_artifact.runs.result_file import read_result
from edgebatch_artifact.settings.conf_folder import groups
from edgebatch_artifact.settings.experiments.experiment import Experiment
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES, TECHNIQUE_TABLES
from edgebatch_artifact.settings.measured.engine import ENGINE_TABLES
from edgebatch_artifact.storage.csv_file import read_csv
from edgebatch_artifact.storage.yaml_file import read_yaml


def gather(experiment: Experiment, results: Path) -> pd.DataFrame:
    """The samples of an experiment; refuses a result that is missing or not as it was stored."""
    return samples_of(
        (point.axes, read_result(results, experiment.result(point))["replicates"])
        for point in experiment.points
    )


def read_claims(conf: Path) -> Claims:
    """Read conf/claims.yaml."""
    return parse_claims(read_yaml(conf / "claims.yaml", WHERE), groups(conf).get("scheduler", ()))


def read_calibration(figures: Path) -> Calibration:
    """The calibration as it is published."""
    predictions, fits, logs, *_ = (read_csv(figures / f"{name}.csv") for name in CALIBRATION_TABLES)
    engine, techniques = (
        {name: read_csv(figures / f"{name}.csv") for name in names}
        for names in (ENGINE_TABLES, TECHNIQUE_TABLES)
    )
    return Calibration(fits, predictions, logs, engine, techniques)


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a JSON file; empty if there is none."""
    try:
        content = parse_json(read_text(path)) if path.exists() else {}
        if not isinstance(content, dict):
            raise InputError("", describe(content), "a mapping")
    except InputError as error:
        raise error.at(str(path)) from None
    return content
