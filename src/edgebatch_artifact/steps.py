"""Steps of the workflow: ``python -m edgebatch_artifact.steps STEP ...`` is what a job of Snakemake runs.

A step reads files, calls pure functions, and writes files, each whole or not at all.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch.io.command_line import Parser
from edgebatch_artifact.runs.folder_lock import job_at_work
from edgebatch_artifact.storage.files import is_full, no_room, replace, write

CONF, RESULTS, BENCHMARKS = Path("conf"), Path("results"), Path("benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        with job_at_work(RESULTS):
            return chosen.step(chosen) or 0
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m edgebatch_artifact.steps", description=__doc__)
    steps = parser.add_subparsers(required=True, metavar="STEP")

    def step(name: str, function: Any, summary: str) -> argparse.ArgumentParser:
        added = steps.add_parser(name, help=summary, description=summary + ".")
        added.set_defaults(step=function)
        return added

    simulating = step("simulate", _simulate, "simulate settings of an experiment that have no result")
    simulating.add_argument("experiment", type=Path, help="file of results/experiments/")
    simulating.add_argument("ids", nargs="+", metavar="ID", help="settings to simulate")
    simulating.add_argument("--done", type=Path, help="file to write once every result is stored")
    collecting = step("collect", _collect, "gather the results of an experiment")
    collecting.add_argument("experiment", type=Path, help="file of results/experiments/")
    collecting.add_argument("samples", type=Path, help="CSV to write: a row a setting and seed")
    collecting.add_argument("points", type=Path, help="CSV to write: what the figure shows")
    drawing = step("draw", _draw, "draw the figure of an experiment, and set its table")
    drawing.add_argument("experiment", type=Path, help="file of results/experiments/")
    drawing.add_argument("points", type=Path, help="CSV that collect has written")
    drawing.add_argument("csv", type=Path, help="the same CSV, to publish")
    drawing.add_argument("pdf", type=Path, help="figure to write")
    drawing.add_argument("png", type=Path, help="figure to write")
    drawing.add_argument("tex", type=Path, help="table to write")
    drawing.add_argument("json", type=Path, help="table to write, as data for the report")
    concluding = step("conclude", _conclude, "decide the claims, and set the paper's tables and values")
    concluding.add_argument("work", type=Path, help="folder of experiments/, collected/ and report/")
    concluding.add_argument("root", type=Path, help="folder of figures/, and of what is published")
    recording = step("record", _record, "write where figures were made, with a digest of each file")
    recording.add_argument("record", type=Path, help="file to write: platform.json")
    recording.add_argument("files", type=Path, nargs="+", help="files of figures/")
    walking = step("walk_through", _walk_through, "execute the notebook")
    walking.add_argument("notebook", type=Path)
    walking.add_argument("page", type=Path, help="page of HTML to write")
    walking.add_argument("work", type=Path, help="folder of experiments/")
    walking.add_argument("figures", type=Path, help="folder of the CSV files")
    typesetting = step("typeset", _typeset, "typeset the paper")
    typesetting.add_argument("source", type=Path, help="LaTeX source")
    typesetting.add_argument("pdf", type=Path, help="file to write, beside values.tex and tables/")
    reporting = step("report", _report, "put claims, figures and tables on one page")
    reporting.add_argument("work", type=Path, help="folder of experiments/ and report/")
    reporting.add_argument("root", type=Path, help="folder of figures/, and of the page")
    reporting.add_argument("--layout", type=Path, default=Path("workflow/report"), help="of the page")
    reporting.add_argument("--scale", default="full", help="scale of the results, as the page tells it")
    return parser


def _simulate(chosen: argparse.Namespace) -> int:
    from edgebatch_artifact.runs.simulate import progress, simulate_batch
    from edgebatch_artifact.settings.cache import read_experiment, read_experiments

    def log(line: str) -> None:
        try:
            print(line, flush=True)
        except OSError as error:
            raise (no_room(Path("the log of this job")) if is_full(error) else error) from None

    experiment = read_experiment(chosen.experiment)
    done = simulate_batch(experiment, chosen.ids, RESULTS, chosen.experiment, log)
    print(progress(read_experiments(chosen.experiment.parent.parent), RESULTS), file=sys.stderr)
    if done and chosen.done:
        write(chosen.done, "")
    return 0 if done else 1


def _collect(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.analysis.collect import points_of_figure
    from edgebatch_artifact.analysis.samples import csv_text
    from edgebatch_artifact.analysis.sources import gather, read_claims
    from edgebatch_artifact.settings.cache import read_experiment

    experiment = read_experiment(chosen.experiment)
    samples = gather(experiment, RESULTS)
    write(chosen.samples, csv_text(samples))
    write(chosen.points, csv_text(points_of_figure(experiment, samples, read_claims(CONF))))
    for older in set(chosen.samples.parent.parent.iterdir()) - {chosen.samples.parent}:
        shutil.rmtree(older)


def _draw(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.analysis.samples import read_csv
    from edgebatch_artifact.publish.experiment_table import experiment_table
    from edgebatch_artifact.publish.figures import make_figure, save_figure
    from edgebatch_artifact.settings.cache import read_experiment

    experiment, points = read_experiment(chosen.experiment), read_csv(chosen.points)
    replace(chosen.csv, lambda temporary: shutil.copyfile(chosen.points, temporary))
    figure, table = make_figure(experiment, points), experiment_table(experiment, points)
    for path in (chosen.pdf, chosen.png):
        replace(path, lambda temporary: save_figure(figure, temporary))
    write(chosen.tex, table.latex())
    write(chosen.json, table.to_json())


def _conclude(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.analysis.samples import read_csv
    from edgebatch_artifact.analysis.sources import read_claims, read_mapping
    from edgebatch_artifact.publish.conclude import conclude
    from edgebatch_artifact.settings.cache import read_experiments, read_nominal

    experiments = read_experiments(chosen.work)
    samples = {
        name: read_csv(chosen.work / f"collected/{name}/{experiment.digest()}/samples.csv")
        for name, experiment in experiments.items()
    }
    points = {name: read_csv(chosen.root / f"figures/{name}.csv") for name in experiments}
    stored = [read_mapping(BENCHMARKS / name) for name in ("costs.json", "race.json")]
    files = conclude(experiments, samples, points, read_claims(CONF), read_nominal(chosen.work), *stored)
    for name, text in files.items():
        write((chosen.work if name.startswith("report/") else chosen.root) / name, text)


def _record(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.verify.platform_record import record

    record(chosen.record, chosen.files)


def _walk_through(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.publish.programs import execute_notebook

    variables = {"EDGEBATCH_WORK": str(chosen.work), "EDGEBATCH_FIGURES": str(chosen.figures)}
    execute_notebook(chosen.notebook, chosen.page, variables)


def _typeset(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.publish.programs import typeset

    typeset(chosen.source, BENCHMARKS, chosen.pdf)


def _report(chosen: argparse.Namespace) -> None:
    from edgebatch_artifact.publish.report import is_png, report_page
    from edgebatch_artifact.publish.table import parse_table
    from edgebatch_artifact.settings.cache import read_experiments
    from edgebatch_artifact.settings.experiment_file import PAPER_TABLES

    experiments, report = read_experiments(chosen.work), chosen.work / "report"
    files = {name: chosen.root / f"figures/{name}.png" for name in experiments}
    files["race"] = BENCHMARKS / "race.png"
    pictures = {name: _read_bytes(path) for name, path in files.items()}
    for name, content in pictures.items():
        if not is_png(content):
            raise InputError("", "no PNG", "a picture (delete it to draw it again)", str(files[name]))
    tables = {
        name: parse_table(_read_bytes(report / f"{name}.json").decode())
        for name in (*(table for table in PAPER_TABLES if table != "claims"), *experiments)
    }
    claims = json.loads(_read_bytes(report / "claims.json"))
    page = report_page(experiments, claims, tables, pictures, chosen.layout, chosen.scale)
    write(chosen.root / "report.html", page)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        cause = (error.strerror or "no access").lower()
        raise InputError("", cause, "what snakemake makes first", str(path)) from None


if __name__ == "__main__":
    raise SystemExit(main())
