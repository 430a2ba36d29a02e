"""Expanding experiments: each file of conf/experiment/ into the settings of its points."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError, one_of
from edgebatch.schema import Range, describe
from edgebatch.setting import identity
from edgebatch_artifact.settings.assumptions import draw_assumptions, read_assumptions
from edgebatch_artifact.settings.compose import (
    Composed,
    compose_config,
    compose_files,
    groups,
    reaches_out,
    setting,
)
from edgebatch_artifact.settings.composer import Composer, composer
from edgebatch_artifact.settings.experiment_file import ExperimentFile, read_experiment
from edgebatch_artifact.settings.points import Experiment, Grid, Point
from edgebatch_artifact.settings.sweep import sweep, sweep_size
from edgebatch_artifact.storage.yaml_file import read_yaml

SHOWN = ("label", "color", "marker")
"""Keys of a group's file that say how figures show it, and decide nothing."""


def compile_grid(conf: Path, scale: str, names: Sequence[str] | None = None) -> Grid:
    """The named experiments of `conf`, or all of them, at one scale.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    known = groups(conf)
    if scale not in known["scale"]:
        raise InputError("scale", repr(scale), one_of(scale, known["scale"]), "command line")
    files = {name: read_experiment(conf, name) for name in (known["experiment"] if names is None else names)}
    axes = {name: sweep(file.sweep, file.where) for name, file in files.items()}
    for name, file in files.items():
        _check_axes(file, axes[name], known)
    used = {
        (key, option)
        for swept in axes.values()
        for key, options in swept.items()
        if key in known
        for option in options
    }
    alternatives = compose_files(conf, sorted(used))
    compose = composer(conf)
    settings: dict[str, dict[str, Any]] = {}
    experiments = {}
    for name, file in files.items():
        points = []
        for point, content in _points(conf, compose, scale, file, axes[name], alternatives):
            points.append(point)
            settings[point.id] = content
        _check_figure(file, axes[name])
        labels = {
            key: {
                option: {k: alternatives[key, option][k] for k in SHOWN if k in alternatives[key, option]}
                for option in options
            }
            for key, options in sorted(axes[name].items())
            if key in known
        }
        unique = {point.id + json.dumps(point.axes, sort_keys=True): point for point in points}
        experiments[name] = Experiment(name, file.figure_data, labels, tuple(unique.values()), _size(file))
    return Grid(experiments, settings)


def experiment_sizes(conf: Path, names: Sequence[str]) -> dict[str, int]:
    """How many points the sweep of each experiment has, without making any of them."""
    return {name: _size(read_experiment(conf, name)) for name in names}


def _size(file: ExperimentFile) -> int:
    return sweep_size(file.sweep, file.where) * max(1, file.draws)


def allowed_settings(conf: Path) -> int:
    """How many settings all sweeps may have together: what conf/config.yaml says."""
    where = "conf/config.yaml"
    found, allowed = (
        read_yaml(conf / "config.yaml", where).get("most_settings"),
        Range(at_least=1, whole=True),
    )
    if found not in allowed:
        raise InputError("most_settings", describe(found), str(allowed), where)
    assert isinstance(found, int)
    return found


def _check_axes(
    file: ExperimentFile, axes: Mapping[str, list[Any]], known: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse a swept file that does not exist, and what no experiment sweeps."""
    for key, values in axes.items():
        if key in known:
            for value in values:
                if value not in known[key]:
                    at = f"hydra.sweeper.params.{key}"
                    raise InputError(at, repr(value), one_of(value, known[key]), file.where)
    reference, known_schedulers = file.figure.y.relative_to, axes.get("scheduler", [])
    if reference and reference not in known_schedulers:
        expected = "a swept scheduler, " + one_of(reference, known_schedulers)
        raise InputError("figure.y.relative_to", repr(reference), expected, file.where)
    if "scale" in axes:
        expected = "no scale: it is chosen for all experiments, snakemake --config scale=smoke"
        raise InputError("hydra.sweeper.params.scale", "a sweep", expected, file.where)
    if "experiment" in axes:
        raise InputError("hydra.sweeper.params.experiment", "a sweep", "a sweep within one file", file.where)


def _check_figure(file: ExperimentFile, axes: Mapping[str, list[Any]]) -> None:
    """Refuse a figure of keys, or of values, that are not swept."""
    swept = [*axes, *(["draw"] if file.draws else [])]
    for at, key in file.figure.named_keys():
        if key not in swept:
            raise InputError(f"figure.{at}", repr(key), "a swept key, " + one_of(key, swept), file.where)
    for key, value in (file.figure.where or {}).items():
        if key in axes and value not in axes[key]:
            expected = "a swept value, " + one_of(value, map(str, axes[key]))
            raise InputError(f"figure.where.{key}", describe(value), expected, file.where)


def _points(
    conf: Path,
    compose: Composer,
    scale: str,
    file: ExperimentFile,
    axes: dict[str, list[Any]],
    alternatives: Mapping[tuple[str, str], dict[str, Any]],
) -> Iterator[tuple[Point, dict[str, Any]]]:
    """Each point of one experiment with its setting.

    Hydra composes once per combination of files that reach beyond their own group. The file of any
    other group is put in its place, and scalars are set, without composing again.
    """
    reaching = [key for key in axes if any(map(reaches_out, (conf / key).glob("*.yaml")))]
    referred = _referred(conf, file.name)
    thinned: dict[str, list[Any]] | None = None
    draws: list[dict[str, Any]] = [{}]
    for files in itertools.product(*(axes[key] for key in reaching)):
        chosen = [f"{key}={option}" for key, option in zip(reaching, files, strict=True)]
        base = compose(file, (f"scale={scale}", *chosen))
        if thinned is None:
            thinned = _thin(axes, file, base.data["grid"]["values_per_axis"])
            if file.draws:
                number = min(file.draws, base.data["grid"]["draws"] or file.draws)
                draws = draw_assumptions(read_assumptions(conf, base), number, file.draw_seed)
        if any(o not in thinned[key] for key, o in zip(reaching, files, strict=True)):
            continue
        rest = [key for key in sorted(thinned) if key not in reaching]
        for values in itertools.product(*(thinned[key] for key in rest)):
            point = dict(zip(reaching, files, strict=True)) | dict(zip(rest, values, strict=True))
            for number, draw in enumerate(draws):
                found = setting(_place(conf, file, base, point, draw, alternatives, referred))
                if file.figure.y.relative_to and found.simulation.epochs > 1:
                    # what one scheduler leaves is at hand in the next epoch: no longer the same candidates
                    expected = "1, to compare schedulers on the same candidates"
                    raise InputError("simulation.epochs", found.simulation.epochs, expected, file.where)
                shown = dict(sorted((point | ({"draw": number} if draw else {})).items()))
                content = found.as_dict()
                yield Point(identity(content), found.scheduler.name, shown), content


def _place(
    conf: Path,
    file: ExperimentFile,
    base: Composed,
    point: Mapping[str, Any],
    draw: Mapping[str, Any],
    alternatives: Mapping[tuple[str, str], dict[str, Any]],
    referred: set[str],
) -> Composed:
    """`base` with the files and scalars of one point, and the values of one draw, in their places.

    Where that is not what Hydra would compose, Hydra composes: a file whose keys another file
    overrides, and keys that other files refer to.
    """
    own = {key: value for key, value in point.items() if key in base.choices}
    scalars = {key: value for key, value in point.items() if key not in own} | draw
    others = {key: value for key, value in own.items() if base.choices[key] != value}
    set_elsewhere = {key.split(".")[0] for key in base.origins}
    far = {key: value for key, value in scalars.items() if key.split(".")[0] in referred}
    if far or (others and set_elsewhere & (others.keys() | referred)):
        files = {key: value for key, value in {**base.choices, **own}.items() if key != "experiment"}
        overrides = [f"{key}={json.dumps(value)}" for key, value in far.items()]
        overrides += [f"{key}={value}" for key, value in files.items()]
        base = compose_config(conf, [f"+experiment={file.name}", *overrides], file.where)
        others = {}
    data = base.data | {key: alternatives[key, value] for key, value in others.items()}
    for key, value in scalars.items():
        data = _with(data, key, value, file.where)
    origins = dict.fromkeys(scalars, file.where) | dict.fromkeys(draw, "conf/assumptions.yaml")
    return Composed(data, {**base.choices, **own}, base.origins | origins)


def _referred(conf: Path, experiment: str) -> set[str]:
    """Keys of the configuration's root that some file refers to, as in ``${speedup.w4}``."""
    own = conf / "experiment" / f"{experiment}.yaml"
    paths = [path for path in conf.rglob("*.yaml") if path.parent != own.parent or path == own]
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return {name for text in texts for name in re.findall(r"\$\{([A-Za-z_]\w*)", text)}


def _with(data: dict[str, Any], key: str, value: Any, where: str) -> dict[str, Any]:
    """`data` with another value for a dotted key; what does not change is shared, not copied."""
    changed = node = dict(data)
    *path, last = key.split(".")
    for part in path:
        if not isinstance(node.get(part), dict):
            raise _unknown(key, list(data), where)
        below = dict(node[part])
        node[part] = below
        node = below
    if last not in node:
        raise _unknown(key, [".".join([*path, name]) for name in node], where)
    node[last] = value
    return changed


def _unknown(key: str, known: list[str], where: str) -> InputError:
    return InputError(f"hydra.sweeper.params.{key}", "an unknown key", one_of(key, known), where)


def _thin(axes: dict[str, list[Any]], file: ExperimentFile, most: int | None) -> dict[str, list[Any]]:
    """Keep the ends of each axis, but every line of the figure."""
    kept = (file.figure.lines, "scheduler")
    return {
        key: values if most is None or len(values) <= most or key in kept else [values[0], values[-1]]
        for key, values in axes.items()
    }
