"""Expanding experiments: each file of conf/experiment/ into the settings of its points."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from artifact.assumptions import draw_assumptions, read_assumptions
from artifact.compose import Composed, compose_config, compose_files, groups, setting, sweep
from artifact.experiment import ExperimentFile, read_experiment
from artifact.points import Experiment, Grid, Point
from artifact.yaml_file import read_yaml
from edgebatch.errors import InputError, one_of

SHOWN = ("label", "color", "marker")
"""Keys of a group's file that say how figures show it, and decide nothing."""


def compile_grid(conf: Path, scale: str) -> Grid:
    """All experiments of `conf` at one scale.

    Raises
    ------
    InputError
        For anything in `conf` that cannot be used.
    """
    known = groups(conf)
    if scale not in known["scale"]:
        raise InputError("scale", repr(scale), one_of(scale, known["scale"]), "command line")
    files = {name: read_experiment(conf, name) for name in known["experiment"]}
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
    settings: dict[str, dict[str, Any]] = {}
    experiments = {}
    for name, file in files.items():
        points = []
        for point, content in _points(conf, scale, file, axes[name], alternatives):
            points.append(point)
            settings[point.id] = content
        labels = {
            key: {
                option: {k: v for k, v in alternatives[key, option].items() if k in SHOWN}
                for option in options
            }
            for key, options in sorted(axes[name].items())
            if key in known
        }
        unique = {point.id + json.dumps(point.axes, sort_keys=True): point for point in points}
        experiments[name] = Experiment(name, file.figure_data, labels, tuple(unique.values()))
    return Grid(experiments, settings)


def _check_axes(
    file: ExperimentFile, axes: Mapping[str, list[Any]], known: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse a swept file that does not exist, and a figure of keys that are not swept."""
    for key, values in axes.items():
        if key in known:
            for value in values:
                if value not in known[key]:
                    at = f"hydra.sweeper.params.{key}"
                    raise InputError(at, repr(value), one_of(value, known[key]), file.where)
    swept = [*axes, *(["draw"] if file.draws else [])]
    for at, key in file.figure.named_keys():
        if key not in swept:
            raise InputError(f"figure.{at}", repr(key), "a swept key, " + one_of(key, swept), file.where)


def _points(
    conf: Path,
    scale: str,
    file: ExperimentFile,
    axes: dict[str, list[Any]],
    alternatives: Mapping[tuple[str, str], dict[str, Any]],
) -> Iterator[tuple[Point, dict[str, Any]]]:
    """Each point of one experiment with its setting.

    Hydra composes once per combination of files that reach beyond their own group. The file of any
    other group is put in its place, and scalars are set, without composing again.
    """
    known = groups(conf)
    reaching = [key for key in axes if key in known and _reaches_out(conf, key)]
    thinned: dict[str, list[Any]] | None = None
    draws: list[dict[str, Any]] = [{}]
    for files in itertools.product(*(axes[key] for key in reaching)):
        chosen = [f"{key}={option}" for key, option in zip(reaching, files, strict=True)]
        base = compose_config(conf, [f"+experiment={file.name}", f"scale={scale}", *chosen], file.where)
        if thinned is None:
            thinned = _thin(axes, file, base.data["grid"]["values_per_axis"])
            if file.draws:
                number = min(file.draws, base.data["grid"]["draws"] or file.draws)
                draws = draw_assumptions(read_assumptions(conf, base), number, file.draw_seed)
        if any(o not in thinned[key] for key, o in zip(reaching, files, strict=True)):
            continue
        touched = _touched(conf, file.name, base)
        rest = [key for key in sorted(thinned) if key not in reaching]
        for values in itertools.product(*(thinned[key] for key in rest)):
            point = dict(zip(reaching, files, strict=True)) | dict(zip(rest, values, strict=True))
            for number, draw in enumerate(draws):
                composed = _place(conf, scale, file, base, point | draw, alternatives, touched)
                origins = {key: file.where for key in point if key not in known}
                found = setting(composed, origins | dict.fromkeys(draw, "conf/assumptions.yaml"))
                shown = dict(sorted((point | ({"draw": number} if draw else {})).items()))
                yield Point(found.id(), found.scheduler.name, shown), found.as_dict()


def _place(
    conf: Path,
    scale: str,
    file: ExperimentFile,
    base: Composed,
    values: Mapping[str, Any],
    alternatives: Mapping[tuple[str, str], dict[str, Any]],
    touched: set[str],
) -> Composed:
    """`base` with the files and scalars of one point in their places."""
    own = {key: value for key, value in values.items() if key in base.choices}
    if any(key in touched and base.choices[key] != value for key, value in own.items()):
        files = {key: value for key, value in {**base.choices, **own}.items() if key != "experiment"}
        overrides = [f"{key}={value}" for key, value in files.items()]
        base = compose_config(conf, [f"+experiment={file.name}", *overrides], file.where)
    data = copy.deepcopy(base.data)
    for key, value in own.items():
        if base.choices[key] != value:
            data[key] = copy.deepcopy(alternatives[key, value])
    for key, value in values.items():
        if key not in own:
            _set(data, key, value, file.where)
    return Composed(data, {**base.choices, **own})


def _set(data: dict[str, Any], key: str, value: Any, where: str) -> None:
    node: Any = data
    *path, last = key.split(".")
    for part in path:
        node = node.get(part) if isinstance(node, dict) else None
    if not isinstance(node, dict) or last not in node:
        siblings = [".".join([*path, name]) for name in node] if isinstance(node, dict) else list(data)
        raise InputError(f"hydra.sweeper.params.{key}", "an unknown key", one_of(key, siblings), where)
    node[last] = value


def _thin(axes: dict[str, list[Any]], file: ExperimentFile, most: int | None) -> dict[str, list[Any]]:
    """Keep the ends of each axis, but every line of the figure."""
    kept = (file.figure.lines, "scheduler")
    return {
        key: values if most is None or len(values) <= most or key in kept else [values[0], values[-1]]
        for key, values in axes.items()
    }


def _reaches_out(conf: Path, group: str) -> bool:
    """Whether the files of a group set keys outside it."""
    return any("@package _global_" in path.read_text() for path in (conf / group).glob("*.yaml"))


def _touched(conf: Path, experiment: str, base: Composed) -> set[str]:
    """Groups that a file which reaches beyond its own group sets keys of."""
    result: set[str] = set()
    for group, name in {**base.choices, "experiment": experiment}.items():
        path = conf / group / f"{name}.yaml"
        if "@package _global_" in path.read_text(encoding="utf-8"):
            result |= set(read_yaml(path, f"conf/{group}/{name}.yaml"))
    return result
