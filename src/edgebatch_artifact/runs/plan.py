"""What the workflow needs to know: the files of each experiment, and the jobs that simulate."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.network import methods
from edgebatch.schema import Checked, read
from edgebatch.serving import policies
from edgebatch.setting import identity
from edgebatch_artifact.runs.result_file import is_stored
from edgebatch_artifact.settings.experiments.cache import Grid, load_grid
from edgebatch_artifact.settings.experiments.experiment import Experiment
from edgebatch_artifact.storage.fingerprint import fingerprint

BATCH_SIZE = 8
"""Most settings in a batch: enough that imports cost little, few enough that all cores have work."""


@dataclass(frozen=True)
class Run:
    """One setting to simulate.

    Attributes
    ----------
    id, result
        Names of the setting and of its result.
    scheduler
        How figures call the scheduler.
    words
        What the run is, for people.
    """

    id: str
    result: str
    scheduler: str
    words: str


@dataclass(frozen=True)
class Batch:
    """Runs of one scheduler's code, all needed by the same experiments, that one job simulates."""

    experiments: tuple[str, ...]
    runs: tuple[Run, ...]

    @property
    def name(self) -> str:
        """Name of the batch by its list of runs."""
        return identity([run.result for run in self.runs])


@dataclass(frozen=True)
class Plan:
    """All experiments at one scale, the batches of their runs, and the folders of what they give.

    Attributes
    ----------
    publish_prefix
        Prefix of the files that are kept: figures/, paper/, CLAIMS.md.
    work_folder
        Folder of what lies between the runs and those.
    batches
        Every run once, by the name of its batch.
    missing
        For each batch the runs without a result, or with one that is not as it was stored.
    """

    publish_prefix: str
    work_folder: str
    grid: Grid
    batches: dict[str, Batch]
    missing: dict[str, tuple[Run, ...]]

    @property
    def experiments(self) -> dict[str, Experiment]:
        """The expanded experiments by name."""
        return self.grid.experiments

    @property
    def runs(self) -> list[Run]:
        """Every run once."""
        return [run for batch in self.batches.values() for run in batch.runs]

    def unfinished(self, experiment: str) -> list[str]:
        """Names of the batches that have to be simulated for an experiment."""
        return [name for name in self.missing if experiment in self.batches[name].experiments]

    def collected(self, experiment: str) -> str:
        """Folder of the collected results of an experiment, named by all that they depend on."""
        return f"{self.work_folder}/collected/{experiment}/{self.experiments[experiment].digest()}"

    def file(self, batch: str) -> str:
        """The file of an experiment that holds the settings of a batch."""
        return f"{self.work_folder}/experiments/{self.batches[batch].experiments[0]}.json"

    def title(self, batch: str) -> str:
        """What is left to do in a batch, for people."""
        left = len(self.missing.get(batch, ()))
        schedulers = ", ".join(sorted({run.scheduler for run in self.batches[batch].runs}))
        return f"{self.batches[batch].experiments[0]}, {schedulers}: {left} setting{'s' * (left != 1)}"


class Options(Checked):
    """What ``snakemake --config`` may say.

    Attributes
    ----------
    scale
        File of conf/scale/.
    most_settings
        Settings that all sweeps may have together; None for what conf/config.yaml allows.
    measurement
        Folder of measurements/engine/ that figures show; None for that of conf/engine.yaml.
    """

    scale: str = "full"
    most_settings: int | None = None
    measurement: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.most_settings is not None and self.most_settings < 1:
            raise InputError("most_settings", self.most_settings, "a whole number at least 1")


def read_options(config: Mapping[str, Any]) -> Options:
    """The options in Snakemake's configuration."""
    try:
        return read(Options, config)
    except InputError as error:
        raise error.at("--config") from None


def make_plan(conf: Path, results: Path, options: Options) -> Plan:
    """Read `conf`, and name the files and batches of every experiment; writes nothing."""
    work = results if options.scale == "full" else results / options.scale
    return plan_of(load_grid(conf, work, options.scale, options.most_settings), results, options.scale)


def plan_of(grid: Grid, results: Path, scale: str) -> Plan:
    """The plan of a grid."""
    schedulers = {point.scheduler for entry in grid.experiments.values() for point in entry.points}
    codes = {name: simulation_code(name) for name in sorted(schedulers)}
    experiments = {name: _with_codes(entry, codes) for name, entry in grid.experiments.items()}
    batches = partition(experiments)
    missing = {
        name: tuple(run for run in batch.runs if not is_stored(results, run.result))
        for name, batch in batches.items()
    }
    full = scale == "full"
    work = results if full else results / scale
    return Plan(
        "" if full else f"{work}/",
        str(work),
        dataclasses.replace(grid, experiments=experiments),
        batches,
        {name: runs for name, runs in missing.items() if runs},
    )


def simulation_code(scheduler: str) -> str:
    """Fingerprint of the code that a simulation with a scheduler, a policy, or a method runs."""
    folders = {"serving.policies": policies.names(), "network.methods": methods.names()}
    folder = next((folder for folder, names in folders.items() if scheduler in names), "schedulers")
    return fingerprint("edgebatch.metrics", f"edgebatch.{folder}.{scheduler}")


def _with_codes(experiment: Experiment, codes: Mapping[str, str]) -> Experiment:
    own = {point.scheduler: codes[point.scheduler] for point in experiment.points}
    return dataclasses.replace(experiment, codes=own)


def partition(experiments: Mapping[str, Experiment]) -> dict[str, Batch]:
    """Every run in one batch, by the batch's name; a batch has one code, and runs for the same experiments.

    So an edit of one scheduler, or a value more in one figure, leaves the other batches as they are.
    """
    runs: dict[str, Run] = {}
    codes: dict[str, str] = {}
    needing: dict[str, list[str]] = {}
    for name, experiment in experiments.items():
        for run, code in _runs(experiment):
            runs.setdefault(run.result, run)
            codes[run.result] = code
            if name not in needing.setdefault(run.result, []):
                needing[run.result].append(name)
    alike: dict[tuple[tuple[str, ...], str], list[Run]] = {}
    for result, run in runs.items():
        alike.setdefault((tuple(needing[result]), codes[result]), []).append(run)
    batches = []
    for (names, _), members in alike.items():
        number = -(-len(members) // BATCH_SIZE)
        # by content: the order of a sweep does not matter, and its long settings are spread evenly
        ordered = sorted(members, key=lambda run: run.result)
        batches += [Batch(names, tuple(ordered[i::number])) for i in range(number)]
    return {batch.name: batch for batch in batches}


def _runs(experiment: Experiment) -> Iterator[tuple[Run, str]]:
    """The runs of an experiment, each with its code."""
    for point in experiment.points:
        values = ", ".join(experiment.label(axis, value) for axis, value in point.axes.items())
        scheduler = experiment.label("scheduler", point.axes.get("scheduler", point.scheduler))
        words = f"{values} ({experiment.name})"
        yield Run(point.id, experiment.result(point), scheduler, words), experiment.codes[point.scheduler]
