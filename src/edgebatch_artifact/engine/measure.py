"""``artifact measure``: measure this machine and its engine, point by point, and go on where it ended."""

from __future__ import annotations

import dataclasses
import datetime
import os
import platform
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from edgebatch.engine import machine as peaks
from edgebatch.engine.gguf_file import read_weights, requantize, shipped_model
from edgebatch.engine.llama import Engine, engine_version
from edgebatch.engine.perplexity import draw_answers, mean_nll
from edgebatch.engine.steps import decode_steps_s, prefill_s
from edgebatch.errors import InputError
from edgebatch_artifact.engine.measurement import (
    PERPLEXITY,
    STEPS,
    FormatSize,
    Machine,
)
from edgebatch_artifact.engine.stored import add_rows, machine_text, read_machine, read_rows
from edgebatch_artifact.settings.measured.engine import EngineConfig
from edgebatch_artifact.storage.files import sha256, write

Tell = Callable[[str], None]


def prepare(folder: Path, models: Path, model: Path | None, config: EngineConfig, tell: Tell) -> Machine:
    """Describe the machine and write the model in every format, or read what an earlier call found.

    Parameters
    ----------
    folder
        Of the measurement.
    models
        Folder in which the formats of the model are kept; they are no part of the measurement.
    model
        A GGUF file; None for the one that is shipped.
    """
    source = model or shipped_model()
    weights = read_weights(source, peaks.memory_bytes())
    digest = sha256(source)
    known = (folder / "measurement.json").exists()
    earlier = _checked(read_machine(folder), folder, digest, config) if known else None
    for format in config.formats:
        path = model_path(models, digest, format)
        if not path.exists():
            tell(f"writing the model in {format}")
            path.parent.mkdir(parents=True, exist_ok=True)
            if format == weights.format:
                path.symlink_to(source.resolve())
            else:
                requantize(source, path, format, _cores())
    if earlier:
        return earlier
    read = (
        read_weights(model_path(models, digest, format), peaks.memory_bytes()) for format in config.formats
    )
    sizes = [FormatSize(found.parameters, found.weight_bytes) for found in read]
    tell("measuring the peaks of this machine")
    found_machine = Machine(
        date=datetime.date.today().isoformat(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        processor=peaks.processor(),
        cores=_cores(),
        threads=_cores(),
        memory_bytes=float(peaks.memory_bytes()),
        flops=peaks.flops_peak(config.peak_repetitions),
        bandwidth_bytes_per_s=peaks.bandwidth_peak(config.peak_repetitions),
        engine=engine_version(),
        model=source.name,
        model_sha256=digest,
        llm=weights.llm,
        formats=dict(zip(config.formats, sizes, strict=True)),
        settings=config,
    )
    write(folder / "measurement.json", machine_text(found_machine))
    return found_machine


def _checked(machine: Machine, folder: Path, digest: str, config: EngineConfig) -> Machine:
    """The machine of an earlier call, if this one would go on with the same."""
    at, fresh = str(folder / "measurement.json"), "another NAME, or the folder deleted"
    found = {"engine": machine.engine, "processor": machine.processor, "model_sha256": machine.model_sha256}
    expected = {"engine": engine_version(), "processor": peaks.processor(), "model_sha256": digest}
    for key, value in found.items():
        if value != expected[key]:
            raise InputError(key, value, f"{expected[key]} as now ({fresh})", at)
    if dataclasses.replace(machine.settings, measurement=config.measurement) != config:
        raise InputError("settings", "others than in conf/engine.yaml", f"the same ({fresh})", at)
    return machine


def model_path(models: Path, digest: str, format: str) -> Path:
    """Where the model is kept in one format."""
    return models / f"{digest[:12]}-{format}.gguf"


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def measure_steps(folder: Path, models: Path, machine: Machine, tell: Tell) -> None:
    """Measure what is left of the steps, formats in alternating order."""
    config = machine.settings
    done = set(
        read_rows(folder, "steps")[["repetition", "format", "stage"]].itertuples(index=False, name=None)
    )
    rounds = [
        (repetition, format)
        for repetition in range(config.repetitions)
        for format in (config.formats if repetition % 2 == 0 else config.formats[::-1])
    ]
    left = [pair for pair in rounds if (*pair, "decode") not in done]
    before_s, begin_s = len(rounds) - len(left), time.monotonic()
    for number, (repetition, format) in enumerate(left):
        spent_s = time.monotonic() - begin_s
        about = f", about {spent_s / number * (len(left) - number):.0f} s left" if number else ""
        tell(f"steps: {before_s + number} of {len(rounds)} rounds{about}; now {format}")
        engine = Engine(
            model_path(models, machine.model_sha256, format), *_room(config), threads=machine.threads
        )
        rng = np.random.default_rng(repetition)
        try:
            for stage, measured in (("prefill", _prefill), ("decode", _decode)):
                if (repetition, format, stage) not in done:
                    rows = [(repetition, format, stage, *row) for row in measured(engine, config, rng)]
                    add_rows(folder, "steps", pd.DataFrame(rows, columns=list(STEPS)))
        finally:
            engine.close()


def _room(config: EngineConfig) -> tuple[int, int]:
    """Sequences, and tokens of each, that all points fit into."""
    points = config.points
    longest = max(tokens for _, _, tokens in points) + config.decode.steps + 1
    return max(batch for _, batch, _ in points), longest


def _prefill(
    engine: Engine, config: EngineConfig, rng: np.random.Generator
) -> Iterator[tuple[int, int, float]]:
    prefill_s(engine, 1, config.prefill[0].prompt_tokens, rng)  # the first call of a process warms caches up
    for entry in config.prefill:
        for batch in entry.batch:
            yield batch, entry.prompt_tokens, prefill_s(engine, batch, entry.prompt_tokens, rng)


def _decode(
    engine: Engine, config: EngineConfig, rng: np.random.Generator
) -> Iterator[tuple[int, int, float]]:
    points = config.decode
    return decode_steps_s(engine, list(points.batch), list(points.context_tokens), points.steps, rng)


def measure_perplexity(folder: Path, models: Path, machine: Machine, tell: Tell) -> None:
    """Measure the perplexity of the formats that have none yet, on answers of the one with 16 bits."""
    config = machine.settings.perplexity
    done = set(read_rows(folder, "perplexity")["format"])
    answers = None
    for format in machine.settings.formats:
        if format in done:
            continue
        tell(f"perplexity: {format}")
        if answers is None:
            engine = _perplexity_engine(models, machine, "F16")
            answers = draw_answers(
                engine, config.sequences, config.tokens, np.random.default_rng(config.seed)
            )
            engine.close()
        engine = _perplexity_engine(models, machine, format)
        rows = [(format, sequence, nll) for sequence, nll in enumerate(mean_nll(engine, answers))]
        engine.close()
        add_rows(folder, "perplexity", pd.DataFrame(rows, columns=list(PERPLEXITY)))


def _perplexity_engine(models: Path, machine: Machine, format: str) -> Engine:
    config = machine.settings.perplexity
    path = model_path(models, machine.model_sha256, format)
    return Engine(path, 1, config.tokens, machine.threads)
