"""``artifact compress``: run every technique of conf/compression/, and go on where an earlier call ended."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path

from edgebatch.compression import techniques
from edgebatch.compression.compress import Matrices, assemble
from edgebatch.compression.decoder.decoder import Decoder
from edgebatch.compression.decoder.evaluation import Judged, judge, predictions
from edgebatch.compression.decoder.model_file import read_decoder
from edgebatch.compression.reference import Reference
from edgebatch.compression.techniques import Technique
from edgebatch.compression.tuning import Tuner, Tuning
from edgebatch.engine.gguf_file import shipped_model
from edgebatch.engine.machine import memory_bytes, processor
from edgebatch.errors import InputError
from edgebatch.schema import read
from edgebatch_artifact.compression.layers import compress_into, layer_rows
from edgebatch_artifact.compression.measurement import LAST, REFERENCE, VOTE, Machine
from edgebatch_artifact.compression.progress import Progress
from edgebatch_artifact.compression.stored import drop_run, read_machine, read_rows, write_machine, write_rows
from edgebatch_artifact.compression.text import Text, stored_text
from edgebatch_artifact.settings.measured.compression import CompressionConfig, CompressionRun
from edgebatch_artifact.storage.files import sha256

PACKAGES = ("jax", "jaxlib", "numpy", "scipy", "numba", "zstandard", "bitarray", "safetensors")

Tell = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class Chosen:
    """A run whose technique and tuning are checked."""

    technique: Technique
    tuning: Tuning | None


def check_runs(runs: Mapping[str, CompressionRun], where: Callable[[str], str]) -> dict[str, Chosen]:
    """Check the options of all runs, before anything is computed; `where` names a run's file."""
    found = {}
    for name, run in runs.items():
        try:
            technique = techniques.get(run.technique, run.options)
            found[name] = Chosen(
                technique, None if run.tuning is None else read(Tuning, run.tuning, "tuning")
            )
        except InputError as error:
            raise error.at(where(name)) from None
    return found


def run_all(
    folder: Path,
    work: Path,
    model: Path | None,
    config: CompressionConfig,
    runs: Mapping[str, CompressionRun],
    where: Callable[[str], str],
    tell: Tell,
) -> None:
    """Run what is left of all runs.

    Parameters
    ----------
    folder
        Of the measurement; the text is beside it.
    work
        Folder of compressed layers, which are no part of the measurement.
    model
        A GGUF file; None for the one that is shipped.
    """
    chosen = check_runs(runs, where)
    source = model or shipped_model()
    tell("reading the model")
    decoder, first = read_decoder(source, memory_bytes())
    decoder = decoder.rounded()
    for name, one in chosen.items():
        if one.tuning is not None:
            try:
                one.tuning.check(decoder.shape.layers)
            except InputError as error:
                raise error.at(where(name)) from None
    text_path = folder.parent / "text.npz"
    text = stored_text(text_path, decoder, first, config.text, tell)
    _begin(folder, decoder, source, text_path, config, runs)
    exact = predictions(decoder, text.evaluation)
    if REFERENCE not in set(read_rows(folder, "sequences")["run"]):
        rows = _rows(REFERENCE, LAST, judge(decoder, text.evaluation, exact))
        write_rows(folder, "sequences", REFERENCE, rows)
    done = set(read_rows(folder, "sequences")["run"])
    left = [name for name in runs if name not in done]
    progress = Progress(len(runs), len(left), decoder.shape.layers, tell)
    reference = Reference(decoder, text.calibration)
    for name in left:
        progress.begin(name)
        try:
            one_run = _Run(name, chosen[name], folder, work / _folder_name(name, runs[name]))
            one_run.run(reference, text, exact, progress)
        except InputError as error:
            raise error.at(where(name)) from None


def _folder_name(name: str, run: CompressionRun) -> str:
    """Other options are kept in another folder."""
    digest = hashlib.sha256(json.dumps(dataclasses.asdict(run), sort_keys=True).encode()).hexdigest()
    return f"{name}-{digest[:12]}"


def _begin(
    folder: Path,
    decoder: Decoder,
    source: Path,
    text_path: Path,
    config: CompressionConfig,
    runs: Mapping[str, CompressionRun],
) -> None:
    """Write measurement.json; results of runs that are gone or have changed are removed."""
    now = Machine(
        date=datetime.date.today().isoformat(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        processor=processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory_bytes=float(memory_bytes()),
        packages={name: version(name) for name in PACKAGES},
        model=source.name,
        model_sha256=sha256(source),
        text_sha256=sha256(text_path),
        vocabulary_weights=decoder.embedding.size,
        settings=config,
        runs=dict(runs),
    )
    if (folder / "measurement.json").exists():
        before = read_machine(folder)
        at = str(folder / "measurement.json")
        for key in ("processor", "packages", "model_sha256", "text_sha256"):
            if getattr(before, key) != getattr(now, key):
                expected = f"{getattr(now, key)} as now (another NAME, or the folder deleted)"
                raise InputError(key, getattr(before, key), expected, at)
        for name in {*before.runs, *runs}:
            if before.runs.get(name) != runs.get(name):
                drop_run(folder, name)
        if dataclasses.replace(before, date=now.date) == now:
            return  # the date is that of the last change
    write_machine(folder, now)


def _rows(run: str, exit: str, judged: Judged) -> list[tuple[object, ...]]:
    """Rows of sequences.csv."""
    pairs = zip(judged.nll.tolist(), judged.divergence.tolist(), strict=True)
    return [(run, exit, number, *pair) for number, pair in enumerate(pairs)]


@dataclasses.dataclass(frozen=True)
class _Run:
    """One run, its measurement and its folder of layers."""

    name: str
    chosen: Chosen
    folder: Path
    work: Path

    def run(self, reference: Reference, text: Text, exact: object, progress: Progress) -> None:
        """Compress, tune, write, judge."""
        layers, times = compress_into(self.work, self.chosen.technique, reference, progress.layer)
        tuning = self.chosen.tuning
        if tuning is not None:
            layers = self._tune(reference, layers, tuning, progress)
        progress.say("coding")
        write_rows(self.folder, "layers", self.name, layer_rows(self.work, self.name, layers, times))
        progress.say("judging")
        decoder = assemble(reference.decoder, layers)
        rows = _rows(self.name, LAST, judge(decoder, text.evaluation, exact))
        if tuning is not None and len(tuning.exits) > 1:
            voted = judge(decoder, text.evaluation, exact, tuning.exits)
            rows += _rows(self.name, VOTE, voted)
        # last, since a run with these rows is complete
        write_rows(self.folder, "sequences", self.name, rows)

    def _tune(
        self, reference: Reference, layers: list[Matrices], tuning: Tuning, progress: Progress
    ) -> list[Matrices]:
        tuner = Tuner(reference.decoder, layers, reference.text, tuning)
        memory = {}
        for exit in sorted(set(tuning.exits)):
            progress.say(f"compiling a step of tuning at layer {exit}")
            memory[exit] = tuner.step_bytes(exit)
        rows: list[tuple[object, ...]] = []
        for number in range(tuning.steps):
            if number % 8 == 0:
                progress.say(f"tuning, step {number} of {tuning.steps}")
            begin_s = time.perf_counter()
            exit, nll = tuner.step()
            seconds = round(time.perf_counter() - begin_s, 4)
            rows.append((self.name, number, exit, tuning.window, nll, seconds, memory[exit]))
        write_rows(self.folder, "steps", self.name, rows)
        return tuner.tuned()
