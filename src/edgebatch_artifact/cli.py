"""Command line of the artifact, for people: simulate, measure, compress, calibrate, verify, archive."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.io.command_line import Parser, run_command

Command = Callable[[argparse.Namespace], int | None]

LINE = "command line"
MEASUREMENTS = Path("measurements")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    return run_command("artifact", lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int | None:
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.run(chosen)
    except ModuleNotFoundError as error:
        extra = "archive" if (error.name or "").startswith("rocrate") else "artifact"
        expected = f"it installed: pip install -e '.[{extra}]'"
        raise InputError(error.name or "", "no such package", expected) from None


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="artifact", description="From a Hydra configuration to figures, tables, claims and the paper."
    )
    parser.add_argument("--version", action="version", version=f"artifact {version('edgebatch')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command, summary: str, **more: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=summary + ".",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **more,
        )
        added.set_defaults(run=run)
        added.add_argument("--conf", type=Path, default=Path("conf"), help="configuration (default: conf)")
        return added

    simulating = command("simulate", _simulate, "simulate one setting, with Hydra overrides", epilog=SIMULATE)
    simulating.add_argument(
        "overrides", nargs="*", metavar="KEY=VALUE", help="group=file or dotted.key=value"
    )
    simulating.add_argument("--json", action="store_true", help="print JSON instead of a table")
    verifying = command(
        "verify", _verify, "check that figures, tables and claims follow from results, and those from conf/"
    )
    verifying.add_argument("--scale", default="full", help="file of conf/scale/ (default: %(default)s)")
    verifying.add_argument(
        "--sample", type=_count, default=20, help="settings to simulate again (default: %(default)s)"
    )
    verifying.add_argument(
        "--seed", type=_count, default=0, help="seed that chooses them (default: %(default)s)"
    )
    verifying.add_argument(
        "--benchmarks", type=Path, default=Path("benchmarks"), help="folder of costs.json and race.json"
    )
    calibrating = command(
        "calibrate",
        _calibrate,
        "fit devices to measurements/, and write them and measured techniques to conf/",
    )
    calibrating.add_argument(
        "--measurement", type=_name, help="folder of measurements/engine/ (default: conf/engine.yaml)"
    )
    measuring = command(
        "measure", _measure, "measure this machine and its engine; the same command goes on where it ended"
    )
    measuring.add_argument("--name", required=True, type=_name, help="folder of measurements/engine/")
    measuring.add_argument("--model", type=Path, help="a GGUF file (default: SmolLM2-135M, which is shipped)")
    compressing = command(
        "compress", _compress, "run techniques of compression; the same command goes on where it ended"
    )
    compressing.add_argument("--name", required=True, type=_name, help="folder of measurements/compression/")
    compressing.add_argument(
        "--model", type=Path, help="a GGUF file (default: SmolLM2-135M, which is shipped)"
    )
    archiving = command("archive", _archive, "put sources, results, figures, paper and report into one zip")
    archiving.add_argument("--out", type=Path, default=Path("dist"), help="folder of the zip")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number from 0")
    return int(text)


def _name(text: str) -> str:
    if not re.fullmatch("[a-z0-9_]+", text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected small letters, digits and _")
    return text


SIMULATE = """\
examples:
  artifact simulate
  artifact simulate model=opt_13b scheduler=dftsp workload.arrival_rate=50
  artifact simulate regime=balanced scheduler=static_batching simulation.epochs=50

Groups are the folders of conf/ (model, quantization, edge_node, storage, cost, radio, workload, scheduler,
regime, scale), their values the files in them. Any value of a file can be set by its dotted key."""


def _has_configuration(conf: Path) -> None:
    if not (conf / "config.yaml").exists():
        raise InputError("--conf", f"no {conf}/config.yaml", "the folder of the configuration")


def _simulate(chosen: argparse.Namespace) -> None:
    from edgebatch.metrics import METRICS
    from edgebatch_artifact.analysis.sources import read_claims
    from edgebatch_artifact.analysis.statistics import estimate
    from edgebatch_artifact.runs.plan import simulation_code
    from edgebatch_artifact.runs.replicates import simulate_setting
    from edgebatch_artifact.runs.result_file import FORMAT
    from edgebatch_artifact.settings.compose import compose_config, setting_of
    from edgebatch_artifact.settings.conf_folder import groups
    from edgebatch_artifact.settings.experiments.sweep import refuse_sweeps

    groups(chosen.conf)  # refuses a folder that is none
    refuse_sweeps(chosen.overrides, LINE)
    confidence = read_claims(chosen.conf).confidence
    composed = compose_config(chosen.conf, chosen.overrides)
    setting = setting_of(composed)
    try:
        replicates, _ = simulate_setting(setting, _progress())
    except InputError as error:
        raise error.at(LINE) from None
    except ArithmeticError as error:
        raise InputError("", str(error), "numbers whose products and ratios floats can hold", LINE) from None
    if chosen.json:
        code = simulation_code(setting.scheduler.name)
        named: dict[str, Any] = {"format": FORMAT, "id": setting.id(), "code": code}
        named |= {"setting": setting.as_dict(), "replicates": replicates}
        print(json.dumps(named, indent=1))
        return
    choices = ", ".join(f"{group}={name}" for group, name in sorted(composed.choices.items()))
    print(f"setting {setting.id()}: {choices}")
    for metric in METRICS:
        values = [replicate[metric] for replicate in replicates]
        spread = f" ± {estimate(values, confidence).half_width:.2g}" if len(values) > 1 else ""
        print(f"{metric:18}{sum(values) / len(values):12.5g}{spread}")
    epochs = setting.simulation.epochs
    print(f"means over {len(replicates)} seeds of {epochs} epochs, with {100 * confidence:g} % intervals")


def _progress() -> Callable[[str], None]:
    """Show what is being done on a line of its own, on a terminal alone."""
    begin = "\r\033[K" if sys.stderr.isatty() else ""
    width = shutil.get_terminal_size().columns - 1

    def tell(doing: str) -> None:
        if begin:
            print(begin + doing[:width], end="", file=sys.stderr, flush=True)

    return tell


def _verify(chosen: argparse.Namespace) -> int:
    _has_configuration(chosen.conf)
    from edgebatch_artifact.verify.outcome import summary
    from edgebatch_artifact.verify.results import Resimulation
    from edgebatch_artifact.verify.verify import verify

    tell = _progress()
    checks = []
    again = Resimulation(chosen.sample, chosen.seed)
    try:
        for check in verify(
            chosen.conf, Path("results"), chosen.benchmarks, MEASUREMENTS, chosen.scale, again, tell
        ):
            checks.append(check)
            if check.words:
                tell("")
                print(check, flush=True)
    finally:
        tell("")
    print(summary(checks))
    print(f"The sample was --sample {chosen.sample} --seed {chosen.seed}.")
    return 0 if all(check.passed for check in checks) else 1


def _calibrate(chosen: argparse.Namespace) -> None:
    _has_configuration(chosen.conf)
    from edgebatch_artifact.calibration.calibrate import calibrate
    from edgebatch_artifact.calibration.measured_files import read_measured
    from edgebatch_artifact.compression.outcome import MODEL
    from edgebatch_artifact.engine.fits import fit_formats
    from edgebatch_artifact.publish.measured.edge_node_files import edge_node_files
    from edgebatch_artifact.publish.measured.engine_files import engine_files, fit_lines
    from edgebatch_artifact.publish.measured.quantization_files import quantization_files
    from edgebatch_artifact.storage.files import write

    measured = read_measured(chosen.conf, MEASUREMENTS, chosen.measurement or "")
    engine = measured.engine
    fits = fit_formats(engine.machine, engine.steps)
    files = {
        f"edge_node/{name}": text for name, text in edge_node_files(measured, calibrate(measured)).items()
    }
    files |= engine_files(engine, fits, measured.models)
    files |= quantization_files(measured.techniques, measured.models[MODEL])
    for name, text in files.items():
        path = chosen.conf / f"{name}.yaml"
        write(path, text)
        print(path)
    for line in fit_lines(engine, fits):
        print(line)


def _measure(chosen: argparse.Namespace) -> None:
    _has_configuration(chosen.conf)
    from edgebatch_artifact.engine.measure import measure_perplexity, measure_steps, prepare
    from edgebatch_artifact.engine.replays import measure_replays
    from edgebatch_artifact.engine.stored import read_measurement
    from edgebatch_artifact.settings.measured.engine_file import read_engine_config

    config = read_engine_config(chosen.conf)
    folder, models = MEASUREMENTS / "engine" / chosen.name, Path("results", "models")
    tell = _progress_lines if not sys.stderr.isatty() else _progress()
    machine = prepare(folder, models, chosen.model, config, tell)
    measure_steps(folder, models, machine, tell)
    measure_perplexity(folder, models, machine, tell)
    measure_replays(chosen.conf, folder, models, machine, tell)
    tell("")
    read_measurement(folder)
    print(f"{folder}: complete. For figures of it: snakemake --config measurement={chosen.name}")


def _compress(chosen: argparse.Namespace) -> None:
    _has_configuration(chosen.conf)
    from edgebatch.compression import check_installed

    check_installed()
    from edgebatch_artifact.analysis.compression_summary import summarize
    from edgebatch_artifact.analysis.sources import read_claims
    from edgebatch_artifact.compression.run import run_all
    from edgebatch_artifact.compression.stored import read_rows
    from edgebatch_artifact.settings.measured.compression_file import (
        read_compression_config,
        read_runs,
        run_file,
    )
    from edgebatch_artifact.storage.csv_file import csv_text
    from edgebatch_artifact.storage.files import write

    config, runs = read_compression_config(chosen.conf), read_runs(chosen.conf)
    confidence = read_claims(chosen.conf).confidence
    folder, work = MEASUREMENTS / "compression" / chosen.name, Path("results", "compression")
    tell = _progress_lines if not sys.stderr.isatty() else _progress()
    run_all(folder, work, chosen.model, config, runs, lambda name: run_file(chosen.conf, name), tell)
    tell("")
    table = summarize(read_rows(folder, "sequences"), read_rows(folder, "layers"), confidence)
    write(folder / "summary.csv", csv_text(table))
    print(f"{folder}: complete")


def _progress_lines(doing: str) -> None:
    """Say what is being done, a line each, where there is no terminal."""
    if doing:
        print(doing, file=sys.stderr, flush=True)


def _archive(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.archive.archive import archive

    path = archive(chosen.out)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    raise SystemExit(main())
