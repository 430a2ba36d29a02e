"""Expand experiments: each file of conf/experiment/ into the settings of its points."""

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
from edgebatch_artifact.settings.assumptions import WHERE, draw_assumptions, parse_assumptions
from edgebatch_artifact.settings.compose import Composed, compose_config, compose_files, setting_of
from edgebatch_artifact.settings.conf_folder import files, groups, is_global, shown
from edgebatch_artifact.settings.experiments.experiment import Experiment, Nominal, Point
from edgebatch_artifact.settings.experiments.experiment_file import ExperimentFile, read_experiment_file
from edgebatch_artifact.settings.experiments.sweep import sweep, sweep_size
from edgebatch_artifact.storage.yaml_file import read_utf8, read_yaml

LOOK = ("label", "color", "marker")
"""Keys of a group's file that say how figures show it, and change no result."""

Files = Mapping[tuple[str, str], dict[str, Any]]
"""Content of files of groups, by group and name."""


def expand_experiments(conf: Path, scale: str, names: Sequence[str] | None = None) -> dict[str, Experiment]:
    """The named experiments of `conf`, or all of them, at one scale."""
    known = groups(conf)
    if scale not in known["scale"]:
        raise InputError("scale", repr(scale), one_of(scale, known["scale"]), "command line")
    chosen = [read_experiment_file(conf, name) for name in (known["experiment"] if names is None else names)]
    axes = {file.name: sweep(file.sweep, file.where) for file in chosen}
    for file in chosen:
        _check_axes(file, axes[file.name], known)
    swept = {
        (key, option)
        for values in axes.values()
        for key, options in values.items()
        if key in known
        for option in options
    }
    alternatives = compose_files(conf, sorted(swept))
    return {file.name: _expand(conf, scale, file, axes[file.name], alternatives) for file in chosen}


def expand_nominal(conf: Path) -> Nominal:
    """The configuration without overrides, and the files that the paper's own tables show."""
    known, configuration = groups(conf), compose_config(conf, []).data
    models, quantizations = (
        {name: content for (_, name), content in compose_files(conf, [(g, f) for f in known[g]]).items()}
        for g in ("model", "quantization")
    )
    content = read_yaml(conf / "assumptions.yaml", WHERE)
    return Nominal(configuration, models, quantizations, parse_assumptions(content, configuration))


def _expand(
    conf: Path, scale: str, file: ExperimentFile, axes: dict[str, list[Any]], alternatives: Files
) -> Experiment:
    points: dict[str, Point] = {}
    settings: dict[str, dict[str, Any]] = {}
    for point, content in _points(conf, scale, file, axes, alternatives):
        points[point.id + json.dumps(point.axes, sort_keys=True)] = point
        settings[point.id] = content
    _check_figure(file, axes)
    labels = {
        key: {
            option: {k: alternatives[key, option][k] for k in LOOK if k in alternatives[key, option]}
            for option in options
        }
        for key, options in sorted(axes.items())
        if (key, options[0]) in alternatives
    }
    size = experiment_size(file)
    return Experiment(file.name, file.figure, labels, tuple(points.values()), settings, size, {})


def experiment_size(file: ExperimentFile) -> int:
    """How many points an experiment has, without making any of them."""
    return sweep_size(file.sweep, file.where) * (file.sample.draws if file.sample else 1)


def allowed_settings(conf: Path) -> int:
    """How many settings all sweeps may have together: what conf/config.yaml says."""
    where, allowed = "conf/config.yaml", Range(at_least=1, whole=True)
    number = read_yaml(conf / "config.yaml", where).get("most_settings")
    if number not in allowed:
        raise InputError("most_settings", describe(number), str(allowed), where)
    return int(number)  # type: ignore[arg-type]


def _check_axes(
    file: ExperimentFile, axes: Mapping[str, list[Any]], known: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse a swept file that does not exist, and what no experiment sweeps."""
    for key, values in axes.items():
        for value in values if key in known else ():
            if value not in known[key]:
                at = f"hydra.sweeper.params.{key}"
                raise InputError(at, repr(value), one_of(value, known[key]), file.where)
    reference, schedulers = file.figure.y.relative_to, axes.get("scheduler", [])
    if reference and reference not in schedulers:
        expected = "a swept scheduler, " + one_of(reference, schedulers)
        raise InputError("figure.y.relative_to", repr(reference), expected, file.where)
    if "scale" in axes:
        expected = "no scale: it is chosen for all experiments, snakemake --config scale=smoke"
        raise InputError("hydra.sweeper.params.scale", "a sweep", expected, file.where)
    if "experiment" in axes:
        raise InputError("hydra.sweeper.params.experiment", "a sweep", "a sweep within one file", file.where)


def _check_figure(file: ExperimentFile, axes: Mapping[str, list[Any]]) -> None:
    """Refuse a figure of keys, or of values, that are not swept."""
    swept = [*axes, *(["draw"] if file.sample else [])]
    for at, key in file.figure.named_keys():
        if key not in swept:
            raise InputError(f"figure.{at}", repr(key), "a swept key, " + one_of(key, swept), file.where)
    for key, value in (file.figure.where or {}).items():
        if key in axes and value not in axes[key]:
            expected = "a swept value, " + one_of(value, map(str, axes[key]))
            raise InputError(f"figure.where.{key}", describe(value), expected, file.where)


def _points(
    conf: Path, scale: str, file: ExperimentFile, axes: dict[str, list[Any]], alternatives: Files
) -> Iterator[tuple[Point, dict[str, Any]]]:
    """Each point of one experiment with its setting.

    Hydra composes once per combination of files that set keys of the root. The file of any other group
    is put in its place, and scalars are set, without composing again.
    """
    global_groups = [
        key
        for key in axes
        if any(is_global(path, shown(conf, path)) for path in files(conf) if path.parent == conf / key)
    ]
    referred = _referred(conf, file.name)
    thinned: dict[str, list[Any]] | None = None
    draws: list[dict[str, Any]] = [{}]
    for options in itertools.product(*(axes[key] for key in global_groups)):
        chosen = dict(zip(global_groups, options, strict=True))
        overrides = [f"{key}={option}" for key, option in chosen.items()]
        base = compose_config(conf, [f"+experiment={file.name}", f"scale={scale}", *overrides], file.where)
        if thinned is None:
            thinned = _thin(axes, file, base.data["grid"]["values_per_axis"])
            if file.sample:
                assumptions = parse_assumptions(read_yaml(conf / "assumptions.yaml", WHERE), base.data)
                number = min(file.sample.draws, base.data["grid"]["draws"] or file.sample.draws)
                draws = draw_assumptions(assumptions, number, file.sample.seed)
        if any(option not in thinned[key] for key, option in chosen.items()):
            continue
        rest = [key for key in sorted(thinned) if key not in global_groups]
        for values in itertools.product(*(thinned[key] for key in rest)):
            point: dict[str, Any] = chosen | dict(zip(rest, values, strict=True))
            for number, draw in enumerate(draws):
                setting = setting_of(_place(conf, file, base, point, draw, alternatives, referred))
                if file.figure.y.relative_to and setting.simulation.epochs > 1:
                    # what one scheduler leaves is at hand in the next epoch: no longer the same candidates
                    expected = "1, to compare schedulers on the same candidates"
                    raise InputError("simulation.epochs", setting.simulation.epochs, expected, file.where)
                shown_axes = dict(sorted((point | ({"draw": number} if draw else {})).items()))
                content = setting.as_dict()
                yield Point(identity(content), setting.scheduler.name, shown_axes), content


def _place(
    conf: Path,
    file: ExperimentFile,
    base: Composed,
    point: Mapping[str, Any],
    draw: Mapping[str, Any],
    alternatives: Files,
    referred: set[str],
) -> Composed:
    """`base` with the files and scalars of one point, and the values of one draw, in their places.

    Where that is not what Hydra would compose, Hydra composes: a file whose keys another file
    overrides, and keys that other files refer to.
    """
    own = {key: value for key, value in point.items() if key in base.choices}
    scalars = {**{key: value for key, value in point.items() if key not in own}, **draw}
    others = {key: value for key, value in own.items() if base.choices[key] != value}
    set_elsewhere = {key.split(".")[0] for key in base.origins}
    far = {key: value for key, value in scalars.items() if key.split(".")[0] in referred}
    if far or (others and set_elsewhere & (others.keys() | referred)):
        choices = {key: value for key, value in {**base.choices, **own}.items() if key != "experiment"}
        overrides = [f"{key}={json.dumps(value)}" for key, value in far.items()]
        overrides += [f"{key}={value}" for key, value in choices.items()]
        base = compose_config(conf, [f"+experiment={file.name}", *overrides], file.where)
        others = {}
    data = base.data | {key: alternatives[key, value] for key, value in others.items()}
    for key, value in scalars.items():
        data = _with(data, key, value, file.where)
    origins = dict.fromkeys(scalars, file.where) | dict.fromkeys(draw, WHERE)
    return Composed(data, {**base.choices, **own}, base.origins | origins)


def _referred(conf: Path, experiment: str) -> set[str]:
    """Keys of the configuration's root that some file refers to, as in ``${speedup.w4}``."""
    others = [path for path in files(conf) if path.parent.name != "experiment" or path.stem == experiment]
    texts = (read_utf8(path, shown(conf, path)) for path in others)
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
    """Keep the ends of each axis, but every line of the figure, and what claims name."""
    kept = (file.figure.lines, "scheduler", "cost")
    return {
        key: values if most is None or len(values) <= most or key in kept else [values[0], values[-1]]
        for key, values in axes.items()
    }
