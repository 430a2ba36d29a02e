"""What is calibrated on what, read from conf/ and measurements/."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from edgebatch.calibration.measurement import QUANTITIES
from edgebatch.errors import InputError, one_of
from edgebatch.model.system import System
from edgebatch.schema import read
from edgebatch_artifact.calibration.calibrate import Measured
from edgebatch_artifact.calibration.engine_logs import EngineLog, calibrated_system
from edgebatch_artifact.calibration.measured import BATCH
from edgebatch_artifact.calibration.operator_steps import step_times
from edgebatch_artifact.compression.outcome import Published
from edgebatch_artifact.compression.stored import read_techniques
from edgebatch_artifact.engine.outcome import Known
from edgebatch_artifact.engine.stored import choose, read_measurement
from edgebatch_artifact.settings.conf_folder import groups, read_file
from edgebatch_artifact.settings.configuration import EdgeNodeConfig, ModelConfig
from edgebatch_artifact.settings.measured.calibration import Operators, Source
from edgebatch_artifact.settings.measured.calibration_file import read_sources
from edgebatch_artifact.settings.measured.compression_file import read_compression_config
from edgebatch_artifact.settings.measured.engine_file import read_engine_config
from edgebatch_artifact.storage.csv_file import read_csv
from edgebatch_artifact.storage.yaml_file import read_yaml

OPERATOR_TABLES = ("dense", "attention", "per_sequence")
"""Files of the operators of a node."""

FP16 = "/fp16_perplexity@fp16"
"""Key of the defaults of a technique under which it names the perplexities of 16 bits."""


def read_measured(conf: Path, folder: Path, engine: str = "") -> Measured:
    """Read every file of conf/calibration/ and the tables in `folder` that they name.

    `engine` names the measurement of an engine; without it, it is that of conf/engine.yaml.

    Raises an `InputError` for a file that cannot be used, and for a model or a node that has no file.
    """
    sources, known = read_sources(conf), groups(conf)
    models = {name: read(ModelConfig, read_file(conf, "model", name)) for name in known["model"]}
    nodes = {name: read(EdgeNodeConfig, read_file(conf, "edge_node", name)) for name in known["edge_node"]}
    tables = {}
    for name, source in sources.items():
        if source.operators:
            tables[name] = _operators(source.operators, _nodes(source), models, folder)
        else:
            tables[name] = _steps(folder / str(source.steps), {"model": models, "edge_node": nodes})
    logs, chosen = _engine_logs(conf, folder, models, nodes), engine or read_engine_config(conf).measurement
    measurement = read_measurement(choose(folder / "engine", chosen))
    looks = {name: read_file(conf, "scheduler", name) for name in known["scheduler"]}
    speedups = read_yaml(conf / "config.yaml", "conf/config.yaml")["speedup"]
    techniques = read_techniques(folder / "compression" / read_compression_config(conf).measurement)
    published = _published(conf, known["quantization"])
    known_of_engine = Known(looks, speedups)
    return Measured(sources, tables, models, nodes, logs, measurement, known_of_engine, techniques, published)


def _published(conf: Path, names: Iterable[str]) -> dict[str, Published]:
    """Files of conf/quantization/ that name perplexities of 16 bits to compare with; nothing is composed."""
    found = {}
    for name in names:
        content = read_file(conf, "quantization", name)
        before = [entry[FP16] for entry in content.get("defaults", ()) if FP16 in entry]
        if before and isinstance(content.get("perplexity"), dict):
            content["fp16"] = read_file(conf, "fp16_perplexity", before[0])["perplexity"]
            known = {key: content[key] for key in Published.__dataclass_fields__ if key in content}
            try:
                found[name] = read(Published, known)
            except InputError as error:
                raise error.at(f"conf/quantization/{name}.yaml") from None
    return found


def _engine_logs(
    conf: Path, folder: Path, models: dict[str, ModelConfig], nodes: dict[str, EdgeNodeConfig]
) -> list[tuple[EngineLog, pd.DataFrame, System]]:
    """Every file of conf/engine_log/, with its log and its node."""
    logs = []
    for name in groups(conf).get("engine_log", ()):
        try:
            entry = read(EngineLog, read_file(conf, "engine_log", name))
            for key, known in (("model", models), ("edge_node", nodes)):
                if getattr(entry, key) not in known:
                    raise InputError(key, repr(getattr(entry, key)), one_of(getattr(entry, key), known))
            system = calibrated_system(models[entry.model], nodes[entry.edge_node])
        except InputError as error:
            raise error.at(f"conf/engine_log/{name}.yaml") from None
        logs.append((entry, read_csv(folder / entry.log), system))
    return logs


def _nodes(source: Source) -> Iterable[str]:
    return dict.fromkeys(entry.edge_node for entry in source.fits.values())


def _steps(path: Path, known: dict[str, Iterable[str]]) -> pd.DataFrame:
    table = read_csv(path)
    for column in BATCH:
        if column not in table:
            raise InputError("line 1", f"no column {column}", f"{', '.join(BATCH)} and a quantity", str(path))
    if not set(QUANTITIES) & set(table):
        raise InputError("line 1", "no quantity", one_of(None, QUANTITIES), str(path))
    for column, names in known.items():
        for name in set(table[column]) - set(names):
            raise InputError(column, repr(name), one_of(name, names), str(path))
    return table


def _operators(
    operators: Operators, nodes: Iterable[str], models: dict[str, ModelConfig], folder: Path
) -> pd.DataFrame:
    """Steps on each of `nodes`."""
    parts = []
    for node in nodes:
        files = {kind: folder / operators.folder / node / f"{kind}.csv" for kind in OPERATOR_TABLES}
        tables = {kind: read_csv(path) for kind, path in files.items()}
        steps = step_times(**tables, layers=models[operators.model].layers)
        parts.append(steps.assign(model=operators.model, edge_node=node, devices=1))
    return pd.concat(parts, ignore_index=True)
