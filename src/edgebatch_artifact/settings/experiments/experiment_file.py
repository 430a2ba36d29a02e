"""The format of conf/experiment/: a sweep, and the figure that is drawn of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.schema import Checked, integer, read
from edgebatch_artifact.settings.conf_folder import is_global, read_file
from edgebatch_artifact.settings.experiments.figure import Figure
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES

PAPER_TABLES = ("claims", "models", "quantization", "assumptions")
"""Tables of the paper that no experiment owns; their files stand beside those of the experiments."""


class AssumptionDraws(Checked):
    """A Latin hypercube over conf/assumptions.yaml, swept beside the rest."""

    draws: int = integer(at_least=1)
    seed: int = integer(at_least=0)


@dataclass(frozen=True)
class ExperimentFile:
    """A file of conf/experiment/, read but not expanded."""

    name: str
    where: str
    sweep: dict[str, Any]
    figure: Figure
    sample: AssumptionDraws | None


def read_experiment_file(conf: Path, name: str) -> ExperimentFile:
    """Read ``conf/experiment/<name>.yaml``; what it overrides is left to Hydra."""
    where = f"conf/experiment/{name}.yaml"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise InputError("", f"the name {name!r}", "a name of letters, digits, _ and -", where)
    if name in (*PAPER_TABLES, *CALIBRATION_TABLES):
        raise InputError("", f"the name {name!r}", "a name that no table of the paper has", where)
    data = read_file(conf, "experiment", name)
    params = data.get("hydra", {})
    for key in ("sweeper", "params"):
        params = params.get(key) if isinstance(params, dict) else None
    if not isinstance(params, dict) or not params:
        raise InputError("hydra.sweeper.params", "an empty sweep", "a mapping from keys to values", where)
    if not is_global(conf / "experiment" / f"{name}.yaml", where):
        raise InputError("line 1", "no package", "# @package _global_", where)
    try:
        figure = read(Figure, data.get("figure"), "figure")
        sample = read(AssumptionDraws, data["sample"], "sample") if "sample" in data else None
    except InputError as error:
        raise error.at(where) from None
    return ExperimentFile(name, where, params, figure, sample)
