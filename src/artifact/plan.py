"""What the workflow needs to know: which files each experiment is made of, and where they lie."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from artifact import grid
from artifact.experiment_data import ExperimentData
from artifact.files import write_if_changed
from artifact.fingerprint import fingerprint


@dataclass(frozen=True)
class Plan:
    """All experiments at one scale, and the folders of what they give.

    Attributes
    ----------
    root
        Prefix of the files that are kept: figures/, paper/, CLAIMS.md.
    work
        Folder of what lies between the runs and those.
    runs
        File of each experiment's runs, in the order of its points.
    titles
        For each run what it is, in words.
    """

    root: str
    work: str
    experiments: dict[str, ExperimentData]
    runs: dict[str, list[str]]
    titles: dict[str, str]

    @property
    def names(self) -> list[str]:
        """Names of the experiments."""
        return list(self.experiments)


def make_plan(conf: Path, results: Path, scale: str) -> Plan:
    """Read the grid of `conf`, and write what the jobs read: settings and expanded experiments.

    Files that are as they should be are left alone, so that their time tells when they changed.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    found = grid.load(conf, results / "grids" / f"{scale}.json", scale)
    full = scale == "full"
    work = results if full else results / scale
    codes: dict[str, str] = {}
    experiments, runs, titles = {}, {}, {}
    for name, experiment in found.experiments.items():
        points = []
        for point in experiment.points:
            if point.scheduler not in codes:
                module = f"edgebatch.schedulers.{point.scheduler}"
                codes[point.scheduler] = fingerprint("artifact.simulate", module)
            run = f"{results}/runs/{point.id}-{codes[point.scheduler]}.json"
            points.append({"id": point.id, "run": run, "axes": point.axes})
        data = ExperimentData(name, experiment.figure, experiment.labels, points)
        experiments[name] = data
        runs[name] = list(dict.fromkeys(point["run"] for point in points))
        for point in points:
            axes = ", ".join(data.label(axis, value) for axis, value in point["axes"].items())
            titles.setdefault(Path(point["run"]).stem, f"Simulating {axes} ({name})")
        write_if_changed(work / "experiments" / f"{name}.json", data.to_json())
    for stale in (work / "experiments").glob("*.json"):
        if stale.stem not in experiments:
            stale.unlink()
    for id_, setting in found.settings.items():
        path = results / "settings" / f"{id_}.json"
        if not path.exists():
            write_if_changed(path, json.dumps(setting, indent=1, sort_keys=True) + "\n")
    return Plan("" if full else f"{work}/", str(work), experiments, runs, titles)
