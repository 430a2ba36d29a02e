"""What the workflow needs to know: which files each experiment is made of, and which jobs make them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.schema import Checked, read
from edgebatch.setting import identity
from edgebatch_artifact.runs.batch_data import Batch, Run
from edgebatch_artifact.settings import cache as grid
from edgebatch_artifact.settings.experiment import ExperimentData
from edgebatch_artifact.settings.points import Grid
from edgebatch_artifact.storage.files import write, write_if_changed
from edgebatch_artifact.storage.fingerprint import fingerprint

MOST_SETTINGS = 8
"""Settings in a batch at most: enough that imports cost little, few enough that all cores have work."""


@dataclass(frozen=True)
class Plan:
    """All experiments at one scale, and the folders of what they give.

    Attributes
    ----------
    root
        Prefix of the files that are kept: figures/, paper/, CLAIMS.md.
    work
        Folder of what lies between the runs and those.
    settings
        Every setting once, by its id.
    batches
        Every run once, by the name of its batch.
    """

    root: str
    work: str
    experiments: dict[str, ExperimentData]
    settings: dict[str, dict[str, Any]]
    batches: dict[str, Batch]

    @property
    def names(self) -> list[str]:
        """Names of the experiments."""
        return list(self.experiments)

    def needs(self, experiment: str) -> list[str]:
        """Names of the batches that hold the runs of an experiment."""
        return [name for name, batch in self.batches.items() if experiment in batch.experiments]

    def damaged(self) -> list[str]:
        """Names of the batches with a result that is not as it was stored."""
        return [
            name
            for name, batch in self.batches.items()
            if any(Path(run.result).exists() for run in batch.missing())
        ]

    def __format__(self, batch: str) -> str:
        """What is left to do in a batch, so that a message of Snakemake can say it: ``{PLAN:batch}``."""
        return self.batches[batch].title()


class Options(Checked):
    """What ``snakemake --config`` may say.

    Attributes
    ----------
    scale
        File of conf/scale/.
    most_settings
        Settings that all sweeps may have together; None for what conf/config.yaml allows.
    """

    scale: str = "full"
    most_settings: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.most_settings is not None and self.most_settings < 1:
            raise InputError("most_settings", self.most_settings, "a whole number at least 1")


def read_options(config: Mapping[str, Any]) -> Options:
    """The options in Snakemake's configuration.

    Raises
    ------
    InputError
        For an unknown key, or a value of the wrong type.
    """
    try:
        return read(Options, config)
    except InputError as error:
        raise error.at("--config") from None


def make_plan(conf: Path, results: Path, scale: str, most_settings: int | None = None) -> Plan:
    """Read the grid of `conf`, and name the files of every setting, batch and experiment.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    return expand(grid.load(conf, results / "grids" / scale, scale, most_settings), results, scale)


def expand(found: Grid, results: Path, scale: str) -> Plan:
    """The plan of a grid."""
    full = scale == "full"
    work = results if full else results / scale
    experiments, runs = _expand(found, results)
    batches = partition(experiments, runs)
    return Plan("" if full else f"{work}/", str(work), experiments, found.settings, batches)


def store(plan: Plan, results: Path) -> None:
    """Write what the jobs read: settings, expanded experiments, batches and whether they are done.

    Files that are as they should be are left alone, so that their time tells when they changed.
    """
    for id_, setting in plan.settings.items():
        path = results / "settings" / f"{id_}.json"
        if not _holds(path, id_):
            write(path, json.dumps(setting, indent=1, sort_keys=True) + "\n")
    folder = Path(plan.work, "experiments")
    for name, data in plan.experiments.items():
        write_if_changed(folder / f"{name}.json", data.to_json())
    for stale in folder.glob("*.json"):
        if stale.stem not in plan.experiments:
            stale.unlink()
    for name, batch in plan.batches.items():
        write_if_changed(results / "batches" / f"{name}.json", batch.to_json())
        _mark(batch, results / "batches" / f"{name}.done")


def _holds(path: Path, id_: str) -> bool:
    """Whether a file holds the setting that its name is made of."""
    try:
        return identity(json.loads(path.read_bytes())) == id_
    except (OSError, ValueError):
        return False


def _expand(found: Grid, results: Path) -> tuple[dict[str, ExperimentData], dict[str, Run]]:
    """The experiments with the files of their runs, and every run once, by its file."""
    schedulers = {point.scheduler for entry in found.experiments.values() for point in entry.points}
    codes = {
        name: fingerprint("edgebatch_artifact.runs.simulate", f"edgebatch.schedulers.{name}")
        for name in schedulers
    }
    experiments, runs = {}, {}
    for name, experiment in found.experiments.items():
        data = ExperimentData(name, experiment.figure, experiment.labels, [])
        for point in experiment.points:
            code = codes[point.scheduler]
            setting, file = f"{results}/settings/{point.id}.json", f"{results}/runs/{point.id}-{code}.json"
            words = ", ".join(data.label(axis, value) for axis, value in point.axes.items())
            scheduler = data.label("scheduler", point.axes.get("scheduler", point.scheduler))
            data.points.append({"id": point.id, "run": file, "axes": point.axes})
            runs.setdefault(file, Run(setting, file, code, scheduler, f"{words} ({name})"))
        experiments[name] = data
    return experiments, runs


def partition(experiments: dict[str, ExperimentData], runs: dict[str, Run]) -> dict[str, Batch]:
    """Every run in one batch, by the batch's name; a batch has one code, and runs for the same experiments.

    So an edit of one scheduler, or a value more in one figure, leaves the other batches as they are.
    """
    needing: dict[str, list[str]] = {file: [] for file in runs}
    for name, data in experiments.items():
        for file in dict.fromkeys(point["run"] for point in data.points):
            needing[file].append(name)
    groups: dict[tuple[tuple[str, ...], str], list[Run]] = {}
    for file, run in runs.items():
        groups.setdefault((tuple(needing[file]), run.code), []).append(run)
    batches = []
    for (names, _), group in groups.items():
        number = -(-len(group) // MOST_SETTINGS)
        # by content: the order of a sweep does not matter, and its long settings are spread evenly
        members = sorted(group, key=lambda run: run.result)
        batches += [Batch(names, tuple(members[i::number])) for i in range(number)]
    return {batch.name: batch for batch in batches}


def _mark(batch: Batch, done: Path) -> None:
    """Let the marker of a batch say whether all of its results are there, whoever made or deleted them."""
    # looked at before the results: a job that ends meanwhile keeps the marker that it writes
    marked = done.exists()
    if all(Path(run.result).exists() for run in batch.runs) == marked:
        return
    if marked:
        done.unlink(missing_ok=True)
    else:
        write(done, "")
