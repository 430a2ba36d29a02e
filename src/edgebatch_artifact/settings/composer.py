"""Composing many experiments: Hydra is asked once for each choice of files that they share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from edgebatch.errors import InputError
from edgebatch_artifact.settings.compose import (
    Composed,
    compose_config,
    compose_with_hydra,
    origins,
    resolved,
)
from edgebatch_artifact.settings.experiment_file import ExperimentFile

Composer = Callable[[ExperimentFile, tuple[str, ...]], Composed]


def composer(conf: Path) -> Composer:
    """A function that composes an experiment with the chosen files, such as ``("regime=paper",)``.

    Hydra merges an experiment last. One that has no defaults list therefore changes nothing of what
    the other files compose to, and is merged here. Wherever that does not hold, Hydra composes it all,
    and says what is wrong.
    """
    remembered = functools.cache(functools.partial(compose_with_hydra, conf))

    def compose(file: ExperimentFile, chosen: tuple[str, ...]) -> Composed:
        try:
            own = _own(conf / "experiment" / f"{file.name}.yaml")
            if own is not None:
                groups, choices = remembered(chosen)
                choices = choices | {"experiment": file.name}
                return Composed(resolved(OmegaConf.merge(groups, own)), choices, origins(conf, choices))
        except InputError:
            raise
        except Exception:
            pass  # composed as a whole, the error names its cause
        return compose_config(conf, [f"+experiment={file.name}", *chosen], file.where)

    return compose


def _own(path: Path) -> DictConfig | None:
    """What an experiment sets in the configuration, if it has nothing for Hydra but its sweep."""
    data = OmegaConf.load(path)
    sweep = {"sweeper": {"params": data.hydra.sweeper.params}}
    anywhere = path.read_text(encoding="utf-8").startswith("# @package _global_\n")
    if not anywhere or "defaults" in data or data.hydra != sweep:
        return None
    del data["hydra"]
    return data
