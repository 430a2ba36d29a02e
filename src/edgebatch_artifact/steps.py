"""Steps of the workflow: ``python -m edgebatch_artifact.steps STEP ...`` is what a job of Snakemake runs.

A step reads files, calls pure functions, and writes files, each whole or not at all. Its arguments are those
of the function of its name.
"""

from __future__ import annotations

import functools
import inspect
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from edgebatch.errors import InputError, one_of
from edgebatch.io.command_line import run_command
from edgebatch_artifact.runs.folder_lock import job_at_work
from edgebatch_artifact.storage.files import is_full, no_room, replace, write

CONF, RESULTS, BENCHMARKS = Path("conf"), Path("results"), Path("benchmarks")
MEASUREMENTS = Path("measurements")


def simulate(experiment: str, *ids: str) -> int:
    """Simulate the settings `ids` of an experiment that have no result."""
    from edgebatch_artifact.runs.simulate import progress, simulate_batch
    from edgebatch_artifact.settings.experiments.cache import read_experiment, read_experiments

    def log(line: str) -> None:
        try:
            print(line, flush=True)
        except OSError as error:
            raise (no_room(Path("the log of this job")) if is_full(error) else error) from None

    path = Path(experiment)
    done = simulate_batch(read_experiment(path), ids, RESULTS, path, log)
    print(progress(read_experiments(path.parent.parent), RESULTS), file=sys.stderr)
    return 0 if done else 1


def collect(experiment: str, samples: str, numbers: str) -> None:
    """Gather the results of an experiment, and compute what its figure shows."""
    from edgebatch_artifact.analysis.collect import figure_numbers
    from edgebatch_artifact.analysis.sources import gather, read_claims
    from edgebatch_artifact.settings.experiments.cache import read_experiment
    from edgebatch_artifact.storage.csv_file import csv_text

    expanded = read_experiment(Path(experiment))
    table = gather(expanded, RESULTS)
    write(Path(samples), csv_text(table))
    write(Path(numbers), csv_text(figure_numbers(expanded, table, read_claims(CONF))))
    for older in set(Path(samples).parent.parent.iterdir()) - {Path(samples).parent}:
        shutil.rmtree(older)


def draw(experiment: str, numbers: str, csv: str, pdf: str, png: str, tex: str, table: str) -> None:
    """Publish the numbers of an experiment, draw its figure, and set its table."""
    from edgebatch_artifact.publish.experiment_table import experiment_table
    from edgebatch_artifact.publish.figures import make_figure, save_figure
    from edgebatch_artifact.settings.experiments.cache import read_experiment
    from edgebatch_artifact.storage.csv_file import read_csv

    expanded, shown = read_experiment(Path(experiment)), read_csv(Path(numbers))
    replace(Path(csv), lambda temporary: shutil.copyfile(numbers, temporary))
    figure, drawn = make_figure(expanded, shown), experiment_table(expanded, shown)
    for path in (pdf, png):
        replace(Path(path), lambda temporary: save_figure(figure, temporary))
    write(Path(tex), drawn.latex())
    write(Path(table), drawn.to_json())


def calibrate(work: str, root: str, engine: str) -> None:
    """Fit the roofline to measurements, that of `engine` too; publish it below `root` and `work`/report."""
    from edgebatch_artifact.analysis.sources import read_calibration
    from edgebatch_artifact.calibration.calibrate import calibrate
    from edgebatch_artifact.calibration.measured_files import read_measured
    from edgebatch_artifact.publish.figures import save_figure
    from edgebatch_artifact.publish.measured.calibration_figure import calibration_figures
    from edgebatch_artifact.publish.measured.calibration_tables import calibration_tables
    from edgebatch_artifact.storage.csv_file import csv_text

    figures, found = Path(root, "figures"), calibrate(read_measured(CONF, MEASUREMENTS, engine))
    for name, content in found.tables().items():
        write(figures / f"{name}.csv", csv_text(content))
    shown = read_calibration(figures)
    for name, figure in calibration_figures(shown).items():
        for ending in ("pdf", "png"):
            replace(figures / f"{name}.{ending}", functools.partial(save_figure, figure))
    for table in calibration_tables(shown):
        write(Path(root, f"paper/tables/{table.name}.tex"), table.latex())
        write(Path(work, f"report/{table.name}.json"), table.to_json())


def conclude(work: str, root: str) -> None:
    """Decide the claims, and set the paper's tables and values, below `root` and `work`/report."""
    from edgebatch_artifact.analysis.sources import read_calibration, read_claims, read_mapping
    from edgebatch_artifact.publish.conclude import conclude
    from edgebatch_artifact.settings.experiments.cache import read_experiments, read_nominal
    from edgebatch_artifact.storage.csv_file import read_csv

    experiments = read_experiments(Path(work))
    samples = {
        name: read_csv(Path(work, "collected", name, experiment.digest(), "samples.csv"))
        for name, experiment in experiments.items()
    }
    numbers = {name: read_csv(Path(root, "figures", f"{name}.csv")) for name in experiments}
    stored = [read_mapping(BENCHMARKS / name) for name in ("costs.json", "race.json")]
    calibration, nominal = read_calibration(Path(root, "figures")), read_nominal(Path(work))
    files = conclude(experiments, samples, numbers, calibration, read_claims(CONF), nominal, *stored)
    for name, text in files.items():
        write(Path(work if name.startswith("report/") else root, name), text)


def record(platform: str, *files: str) -> None:
    """Write where `files` were made, with a digest of each."""
    from edgebatch_artifact.verify.platform_record import record

    record(Path(platform), [Path(file) for file in files])


def walk_through(notebook: str, page: str, work: str, figures: str) -> None:
    """Execute the notebook, and write it as a page of HTML."""
    from edgebatch_artifact.publish.programs import execute_notebook

    variables = {"EDGEBATCH_WORK": work, "EDGEBATCH_FIGURES": figures}
    execute_notebook(Path(notebook), Path(page), variables)


def typeset(source: str, pdf: str) -> None:
    """Typeset the paper in the folder of `pdf`."""
    from edgebatch_artifact.publish.programs import typeset

    typeset(Path(source), BENCHMARKS, Path(pdf))


def report(work: str, root: str, layout: str, scale: str) -> None:
    """Put claims, figures and tables on one page."""
    from edgebatch_artifact.publish.report import is_png, report_page
    from edgebatch_artifact.publish.table import parse_table
    from edgebatch_artifact.settings.experiments.cache import read_experiments
    from edgebatch_artifact.settings.experiments.experiment_file import PAPER_TABLES
    from edgebatch_artifact.settings.measured.calibration import CALIBRATION_FIGURES, CALIBRATION_TABLES

    experiments, made = read_experiments(Path(work)), Path(work, "report")
    files = {name: Path(root, "figures", f"{name}.png") for name in experiments}
    files |= {name: Path(root, f"figures/{name}.png") for name in CALIBRATION_FIGURES}
    files |= {"race": BENCHMARKS / "race.png"}
    pictures = {name: _read(path) for name, path in files.items()}
    for name, content in pictures.items():
        if not is_png(content):
            raise InputError("", "no PNG", "a picture (delete it to draw it again)", str(files[name]))
    names = [*(table for table in PAPER_TABLES if table != "claims"), *CALIBRATION_TABLES, *experiments]
    tables = {name: parse_table(_read(made / f"{name}.json").decode()) for name in names}
    claims = json.loads(_read(made / "claims.json"))
    page = report_page(experiments, claims, tables, pictures, Path(layout), scale)
    write(Path(root, "report.html"), page)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        cause = (error.strerror or "no access").lower()
        raise InputError("", cause, "what snakemake makes first", str(path)) from None


STEPS: dict[str, Callable[..., int | None]] = {
    step.__name__: step
    for step in (simulate, collect, draw, calibrate, conclude, record, walk_through, typeset, report)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; returns the exit status."""
    return run_command("artifact", lambda: _run(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: Sequence[str]) -> int | None:
    name, *words = [*arguments] or [""]
    if name not in STEPS:
        raise InputError("STEP", repr(name), one_of(name, STEPS), "command line")
    signature = inspect.signature(STEPS[name])
    try:
        signature.bind(*words)
    except TypeError:
        expected = " ".join(map(str, signature.parameters.values())).replace(": 'str'", "")
        found = f"{len(words)} argument{'s' * (len(words) != 1)}"
        raise InputError(name, found, expected, "command line") from None
    with job_at_work(RESULTS):
        return STEPS[name](*words)


if __name__ == "__main__":
    raise SystemExit(main())
