"""Expanded experiments as files, so that conf/ is expanded again only after a change.

The files serve the jobs too: each reads the experiment that it works for. Reading them imports no Hydra,
since every job on another machine parses the workflow again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.model.trace import TraceFile
from edgebatch.schema import read
from edgebatch_artifact.settings.conf_folder import files, shown
from edgebatch_artifact.settings.experiments.experiment import Experiment, Nominal
from edgebatch_artifact.storage.files import write
from edgebatch_artifact.storage.fingerprint import fingerprint
from edgebatch_artifact.storage.sealed import read_sealed, seal
from edgebatch_artifact.storage.trace_file import is_current


@dataclass(frozen=True)
class Grid:
    """All experiments at one scale.

    Attributes
    ----------
    keys, nominal_key
        Digest of all that each experiment, and the nominal configuration, are made from.
    """

    experiments: dict[str, Experiment]
    nominal: Nominal
    keys: dict[str, str]
    nominal_key: str


def load_grid(conf: Path, work: Path, scale: str, most_settings: int | None = None) -> Grid:
    """The grid of `conf` at a scale of conf/scale/: from the files in `work` where they are current.

    Writes nothing. Raises an `InputError` for anything in `conf` that cannot be used, and for sweeps of
    more settings than `most_settings` (than conf/config.yaml allows, if that is None).
    """
    keys, nominal_key = _keys(conf, scale)
    stored = {name: _read(_file(work, name), key) for name, key in keys.items()}
    nominal = _read(work / "nominal.json", nominal_key)
    outdated = [name for name, entry in stored.items() if entry is None or not _has_its_traces(entry)]
    current = {name: entry for name, entry in stored.items() if name not in outdated}
    experiments = {name: read(Experiment, entry) for name, entry in current.items()}
    if outdated or nominal is None:
        from edgebatch_artifact.settings.experiments import expand
        from edgebatch_artifact.settings.experiments.experiment_file import read_experiment_file

        sizes = {name: experiment.size for name, experiment in experiments.items()}
        sizes |= {name: expand.experiment_size(read_experiment_file(conf, name)) for name in outdated}
        _refuse_too_many(sizes, most_settings or expand.allowed_settings(conf))
        experiments |= expand.expand_experiments(conf, scale, outdated)
        ordered = {name: experiments[name] for name in keys}
        return Grid(ordered, expand.expand_nominal(conf), keys, nominal_key)
    configuration = read(Nominal, nominal)
    sizes = {name: experiment.size for name, experiment in experiments.items()}
    _refuse_too_many(sizes, most_settings or configuration.configuration["most_settings"])
    return Grid(experiments, configuration, keys, nominal_key)


def store_grid(grid: Grid, work: Path) -> None:
    """Write the files that `load_grid` and the jobs read, and remove those of experiments that are gone."""
    for name, experiment in grid.experiments.items():
        content = {"key": grid.keys[name], "content": experiment.as_dict()}
        write(_file(work, name), seal(content, name))
    content = {"key": grid.nominal_key, "content": dataclasses.asdict(grid.nominal)}
    write(work / "nominal.json", seal(content, "nominal"))
    for path in (work / "experiments").glob("*.json"):
        if path.stem not in grid.experiments:
            path.unlink()


def read_experiment(path: Path) -> Experiment:
    """The experiment in a file that `store_grid` has written."""
    return read(Experiment, _content(path))


def read_experiments(work: Path) -> dict[str, Experiment]:
    """All experiments that `store_grid` has written, by name."""
    paths = sorted((work / "experiments").glob("*.json"))
    if not paths:
        raise InputError("", "no experiment", "what snakemake makes first", str(work / "experiments"))
    return {path.stem: read_experiment(path) for path in paths}


def read_nominal(work: Path) -> Nominal:
    """The nominal configuration that `store_grid` has written."""
    return read(Nominal, _content(work / "nominal.json"))


def _file(work: Path, experiment: str) -> Path:
    return work / "experiments" / f"{experiment}.json"


def _content(path: Path) -> Any:
    stored = read_sealed(path)
    if stored is None:
        cause = "other content" if path.exists() else "no such file"
        raise InputError("", cause, "the file as snakemake stored it", str(path))
    return stored["content"]


def _read(path: Path, key: str) -> Any:
    """What a file holds, unless it is damaged or of another configuration."""
    stored = read_sealed(path)
    return stored["content"] if stored is not None and stored["key"] == key else None


def _has_its_traces(entry: Mapping[str, Any]) -> bool:
    """Whether the traces of an expanded experiment still have the content that its settings name."""
    traces = {json.dumps(content["workload"]["trace"]) for content in entry["settings"].values()}
    return all(is_current(read(TraceFile, json.loads(trace))) for trace in traces - {"null"})


def _refuse_too_many(sizes: Mapping[str, int], allowed: int) -> None:
    """Ask for a flag before sweeps that may take days; nothing is expanded yet."""
    total = sum(sizes.values())
    if total > allowed:
        name = max(sizes, key=lambda name: sizes[name])
        size = f"a sweep of {sizes[name]} settings ({total} with all experiments)"
        expected = f"at most {allowed}, or the flag --config most_settings={total} to go on"
        raise InputError("hydra.sweeper.params", size, expected, f"conf/experiment/{name}.yaml")


def _keys(conf: Path, scale: str) -> tuple[dict[str, str], str]:
    """Digests of what each experiment is expanded from, and of conf/ without experiments."""
    shared = hashlib.sha256(
        f"{fingerprint('edgebatch_artifact.settings.experiments.expand')} {scale}".encode()
    )
    experiments: dict[str, bytes] = {}
    for path in files(conf):
        content = f"\n{shown(conf, path)}\n".encode() + _bytes(path, shown(conf, path))
        if path.parent == conf / "experiment":
            experiments[path.stem] = content
        else:
            shared.update(content)
    if not experiments:
        raise InputError("", "no experiment", "a file NAME.yaml", "conf/experiment")
    keys = {}
    for name, content in experiments.items():
        digest = shared.copy()
        digest.update(content)
        keys[name] = digest.hexdigest()
    return keys, shared.hexdigest()


def _bytes(path: Path, where: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        cause = "a broken link" if path.is_symlink() else (error.strerror or "no access").lower()
        raise InputError("", cause, "a readable file", where) from None
