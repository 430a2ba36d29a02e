"""Command line of the artifact: ``simulate`` and ``verify`` for people, the others for the workflow."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

from edgebatch.errors import InputError
from edgebatch.io.command_line import Parser

Command = Callable[[argparse.Namespace], int | None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        return chosen.run(chosen) or 0
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)
        return 2


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
            **more,  # type: ignore[arg-type]
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
    collecting = command(
        "collect", _collect, "for the workflow: gather the runs of an experiment into tables"
    )
    collecting.add_argument("experiment", type=Path, help="file of results/experiments/")
    collecting.add_argument(
        "--samples", type=Path, required=True, help="CSV to write: a row a setting and seed"
    )
    collecting.add_argument("--points", type=Path, required=True, help="CSV to write: what the figure shows")
    drawing = command("draw", _draw, "for the workflow: draw the figure of an experiment, and set its table")
    drawing.add_argument("experiment", type=Path, help="file of results/experiments/")
    drawing.add_argument("points", type=Path, help="CSV behind the figure")
    drawing.add_argument("files", type=Path, nargs="+", help="files to write: .pdf, .png, .tex, .json")
    reporting = command("report", _report, "for the workflow: put claims, figures and tables on one page")
    reporting.add_argument("--work", type=Path, default=Path("results"), help="folder of the results")
    reporting.add_argument(
        "--figures", type=Path, default=Path("figures"), help="folder of the figures' pictures"
    )
    reporting.add_argument("--benchmarks", type=Path, default=Path("benchmarks"), help="folder of race.png")
    reporting.add_argument(
        "--layout", type=Path, default=Path("workflow/report"), help="folder of page.html and style.css"
    )
    reporting.add_argument("--scale", default="full", help="scale of the results, as the page tells it")
    reporting.add_argument("--out", type=Path, default=Path("report.html"), help="page to write")
    concluding = command(
        "conclude", _conclude, "for the workflow: decide the claims, and set the paper's tables and values"
    )
    concluding.add_argument("--work", type=Path, default=Path("results"), help="folder of the results")
    concluding.add_argument(
        "--figures", type=Path, default=Path("figures"), help="folder of the figures' CSV"
    )
    concluding.add_argument(
        "--benchmarks", type=Path, default=Path("benchmarks"), help="folder of costs.json and race.json"
    )
    concluding.add_argument(
        "--report", type=Path, default=Path("results/report"), help="folder for what the report shows"
    )
    concluding.add_argument("--out", type=Path, default=Path("."), help="root of what is written")
    recording = command(
        "record", _record, "for the workflow: write where figures were made, with a digest of each file"
    )
    recording.add_argument("record", type=Path, help="file to write: platform.json")
    recording.add_argument("files", type=Path, nargs="+", help="files of figures/")
    archiving = command("archive", _archive, "put sources, results, figures, paper and report into one zip")
    archiving.add_argument("--out", type=Path, default=Path("dist"), help="folder of the zip")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number from 0")
    return int(text)


SIMULATE = """\
examples:
  artifact simulate
  artifact simulate model=opt_13b scheduler=dftsp workload.arrival_rate=50
  artifact simulate regime=balanced scheduler=static_batching simulation.epochs=50

Groups are the folders of conf/ (model, quantization, edge_node, cost, radio, workload, scheduler, regime,
scale), their values the files in them. Any value of a file can be set by its dotted key."""


def _has_configuration(conf: Path) -> None:
    if not (conf / "config.yaml").exists():
        raise InputError("--conf", f"no {conf}/config.yaml", "the folder of the configuration")


def _simulate(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.analysis.claims import read_claims
    from edgebatch_artifact.analysis.statistics import estimate
    from edgebatch_artifact.runs.simulate import METRICS, run
    from edgebatch_artifact.settings.compose import compose_config, groups, setting
    from edgebatch_artifact.settings.sweep import refuse_sweeps
    from edgebatch_artifact.storage.fingerprint import fingerprint

    groups(chosen.conf)  # refuses a folder that is none
    refuse_sweeps(chosen.overrides, "command line")
    confidence = read_claims(chosen.conf).confidence
    composed = compose_config(chosen.conf, chosen.overrides)
    found = setting(composed)
    code = fingerprint("edgebatch_artifact.runs.simulate", f"edgebatch.schedulers.{found.scheduler.name}")
    try:
        result, _ = run(found, code, progress=sys.stderr.isatty())
    except InputError as error:
        raise error.at("command line") from None
    except ArithmeticError as error:
        raise InputError(
            "", str(error), "numbers whose products and ratios floats can hold", "command line"
        ) from None
    if chosen.json:
        print(json.dumps(result, indent=1))
        return
    choices = ", ".join(f"{group}={name}" for group, name in sorted(composed.choices.items()))
    print(f"setting {result['id']}: {choices}")
    seeds = result["replicates"]
    for metric in METRICS:
        values = [replicate[metric] for replicate in seeds]
        spread = f" ± {estimate(values, confidence).half_width:.2g}" if len(values) > 1 else ""
        print(f"{metric:18}{sum(values) / len(values):12.5g}{spread}")
    epochs = found.simulation.epochs
    print(f"means over {len(seeds)} seeds of {epochs} epochs, with {100 * confidence:g} % intervals")


def _verify(chosen: argparse.Namespace) -> int:
    _has_configuration(chosen.conf)
    from edgebatch_artifact.verify.outcome import summary
    from edgebatch_artifact.verify.results import Sample
    from edgebatch_artifact.verify.verify import verify

    begin = "\r\033[K" if sys.stderr.isatty() else ""
    width = shutil.get_terminal_size().columns - 1

    def tell(doing: str) -> None:
        if begin:
            print(begin + doing[:width], end="", file=sys.stderr, flush=True)

    checks = []
    sample = Sample(chosen.sample, chosen.seed)
    try:
        for check in verify(chosen.conf, Path("results"), chosen.benchmarks, chosen.scale, sample, tell):
            checks.append(check)
            if check.words:
                print(begin, end="", file=sys.stderr, flush=True)
                print(check, flush=True)
    finally:
        print(begin, end="", file=sys.stderr, flush=True)
    print(summary(checks))
    print(f"The sample was --sample {chosen.sample} --seed {chosen.seed}.")
    return 0 if all(check.passed for check in checks) else 1


def _record(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.verify.platform_record import record

    record(chosen.record, chosen.files)


def _collect(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.analysis.collect import points_of_figure
    from edgebatch_artifact.analysis.samples import gather, write_csv
    from edgebatch_artifact.settings.experiment import read_experiment_data
    from edgebatch_artifact.storage.files import replace

    data = read_experiment_data(chosen.experiment)
    samples = gather(data.points)
    points = points_of_figure(data.name, data.figure, samples, chosen.conf)
    replace(chosen.samples, lambda path: write_csv(samples, path))
    replace(chosen.points, lambda path: write_csv(points, path))


def _draw(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.analysis.samples import read_csv
    from edgebatch_artifact.publish import figures, tables
    from edgebatch_artifact.settings.experiment import read_experiment_data
    from edgebatch_artifact.storage.files import write

    for path in chosen.files:
        if path.suffix not in (".pdf", ".png", ".tex", ".json"):
            raise InputError(
                "files", str(path), "a file that ends in .pdf, .png, .tex or .json", "command line"
            )
    data = read_experiment_data(chosen.experiment)
    points = read_csv(chosen.points)
    table = tables.of_experiment(data, points)
    texts = {".tex": table.latex, ".json": table.to_json}
    figures.draw(data, points, [path for path in chosen.files if path.suffix not in texts])
    for path in chosen.files:
        if path.suffix in texts:
            write(path, texts[path.suffix]())


def _report(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.publish.report import report_page
    from edgebatch_artifact.storage.files import write

    pieces = (chosen.work, chosen.figures, chosen.benchmarks, chosen.layout)
    write(chosen.out, report_page(*pieces, chosen.scale))


def _conclude(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.publish.conclude import conclude
    from edgebatch_artifact.storage.files import write

    files = conclude(chosen.conf, chosen.work, chosen.figures, chosen.benchmarks)
    for name, text in files.items():
        report = name.startswith("report/")
        write(chosen.report / Path(name).name if report else chosen.out / name, text)


def _archive(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.archive.archive import archive

    path = archive(chosen.out)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    raise SystemExit(main())
