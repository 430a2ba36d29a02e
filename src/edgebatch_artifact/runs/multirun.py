"""Plain Hydra: ``python -m edgebatch_artifact.runs.multirun --multirun +experiment=NAME``.

The workflow caches, draws and decides; this runs the settings of one experiment in a row, with Hydra's own
sweeper, and prints the throughput of each. A sample of the assumptions is left to the workflow.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from edgebatch.errors import InputError, one_of
from edgebatch.io.command_line import run_command
from edgebatch_artifact.runs.replicates import simulate_setting
from edgebatch_artifact.settings.compose import Composed, check_choice, compose_config, setting_of
from edgebatch_artifact.settings.conf_folder import groups
from edgebatch_artifact.settings.experiments.experiment_file import read_experiment_file
from edgebatch_artifact.settings.experiments.sweep import sweep, sweep_size

SWEEPING = ("--multirun", "-m")
FLAGS = (*SWEEPING, "--help", "-h", "--hydra-help", "--info", "-i", "--cfg", "-c", "--package", "-p")
LINE, LIMIT = "command line", "most_settings"


def main() -> int:
    """Refuse what cannot be used before Hydra makes a folder of it, then let Hydra run the jobs."""
    return run_command("artifact", _run)


def _run() -> None:
    check(Path("conf"), sys.argv[1:])
    jobs = hydra.main(config_path=str(Path.cwd() / "conf"), config_name="config", version_base="1.3")(job)
    with TemporaryDirectory() as folder:
        if not {"--help", "-h", "--hydra-help"} & set(sys.argv):
            sys.argv += _kept_in(folder, sys.argv[1:])
        jobs()


def _kept_in(folder: str, arguments: Sequence[str]) -> list[str]:
    """Overrides with which Hydra keeps its own files in a folder, unless the user says where."""
    keys = ("hydra.run.dir", "hydra.sweep.dir")
    return [f"{key}={json.dumps(folder)}" for key in keys if not any(key in word for word in arguments)]


def check(conf: Path, arguments: Sequence[str]) -> None:
    """Refuse a command line whose sweep is too large, or whose first job cannot be composed."""
    flags = [word.partition("=")[0] for word in arguments if word.startswith("-")]
    for flag in flags:
        if flag not in FLAGS:
            raise InputError(flag, "an unknown flag", one_of(flag, FLAGS), LINE)
    if set(flags) - set(SWEEPING):
        return  # Hydra shows something, and runs nothing
    words = [word for word in arguments if not word.startswith("-")]
    if not flags:
        setting_of(compose_config(conf, words))
        return
    plain = [
        word for word in words if word.startswith(("+", "~", "hydra.", "hydra/", LIMIT)) or "=" not in word
    ]
    composed = compose_config(conf, plain)
    sweeps = _sweeps(conf, composed, dict(word.split("=", 1) for word in words if word not in plain))
    _refuse_too_many(sweeps, composed.data["most_settings"])
    setting_of(compose_config(conf, [*plain, *_first(conf, sweeps)]))


def _sweeps(conf: Path, composed: Composed, swept: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is swept: by the command line, and by the experiment's file unless the former overrides it."""
    if "experiment" not in composed.choices:
        return {LINE: swept}
    file = read_experiment_file(conf, composed.choices["experiment"])
    return {LINE: swept, file.where: {key: file.sweep[key] for key in file.sweep if key not in swept}}


def _refuse_too_many(sweeps: Mapping[str, Mapping[str, Any]], allowed: int) -> None:
    size = 1
    for where, params in sweeps.items():
        size *= sweep_size(params, where)
        if size > allowed:
            expected = f"at most {allowed}, or the override {LIMIT}={size} to go on"
            raise InputError("hydra.sweeper.params", f"a sweep of {size} settings", expected, where)


def _first(conf: Path, sweeps: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """The overrides of the first job; the files that any job chooses have to exist."""
    known = groups(conf)
    for where, params in sweeps.items():
        for key, values in sweep(params, where).items():
            for value in values:
                check_choice(f"{key}={value}", known, where)
            first = values[0]
            plain = isinstance(first, str) and re.fullmatch(r"[\w./+-]*", first)
            yield f"{key}={first if plain else json.dumps(first)}"


def job(composed: DictConfig) -> None:
    """Simulate one job of the sweep; one that fails ends it."""
    status = run_command("artifact", lambda: _simulate(composed))
    if status:
        raise SystemExit(status)  # which Hydra lets through, unlike an error


def _simulate(composed: DictConfig) -> None:
    data = OmegaConf.to_container(composed, resolve=True)
    assert isinstance(data, dict)
    choices = {str(group): str(name) for group, name in HydraConfig.get().runtime.choices.items()}
    keys = [word.lstrip("+").partition("=")[0] for word in HydraConfig.get().overrides.task]
    origins = dict.fromkeys(keys, f"sweep of the {LINE}, or of the experiment")
    setting = setting_of(Composed({str(key): value for key, value in data.items()}, choices, origins))
    replicates, _ = simulate_setting(setting)
    throughput = [replicate["throughput_per_s"] for replicate in replicates]
    print(f"{HydraConfig.get().job.override_dirname}: {sum(throughput) / len(throughput):.4g} requests/s")


if __name__ == "__main__":
    raise SystemExit(main())
