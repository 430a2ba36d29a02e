# The paper, from configuration to PDF. Run it with: snakemake --cores 8
import shlex
import shutil
import sys
from pathlib import Path

from snakemake.utils import min_version

from edgebatch.errors import InputError
from edgebatch_artifact.runs.failures import failures
from edgebatch_artifact.runs.folder_lock import hold_folder
from edgebatch_artifact.runs.plan import make_plan, read_options
from edgebatch_artifact.settings.experiments.cache import store_grid
from edgebatch_artifact.settings.conf_folder import files
from edgebatch_artifact.settings.measured.calibration import (
    CALIBRATION_FIGURES,
    CALIBRATION_TABLES,
)
from edgebatch_artifact.settings.measured.engine_file import read_engine_config
from edgebatch_artifact.settings.experiments.experiment_file import PAPER_TABLES
from edgebatch_artifact.storage.files import check_room, remove_leftovers
from edgebatch_artifact.storage.fingerprint import fingerprint

min_version("9.0")
# Jobs run with this interpreter and the code beside this file; no path is in PATH or PYTHONPATH, where a colon
# would end it. One thread a job: idle threads of the linear algebra would cost each job more than its own imports.
PYTHON = shlex.quote(sys.executable).replace("{", "{{").replace("}", "}}")
shell.prefix(
    f'export PYTHONPATH=src OPENBLAS_NUM_THREADS=1; python() {{{{ {PYTHON} "$@"; }}}}; '
)

RESULTS = Path("results")
try:
    if {"{", "}"} & set(str(Path.cwd())):
        found, expected = (
            "braces in its path",
            "a folder without: Snakemake replaces them",
        )
        raise InputError("", found, expected, str(Path.cwd()))
    check_room(Path("."))
    OPTIONS = read_options(config)
    PLAN = make_plan(Path("conf"), RESULTS, OPTIONS)
    CONF = list(map(str, files(Path("conf"))))
    ENGINE = read_engine_config(Path("conf"), OPTIONS.measurement).measurement
    MEASUREMENTS = sorted(
        str(path)
        for path in Path("measurements").rglob("*")
        if path.suffix in (".csv", ".json")
    )
except (InputError, OSError) as error:
    sys.exit(f"artifact: {error}")

TABLES_ALONE = [
    table for table in CALIBRATION_TABLES if table not in CALIBRATION_FIGURES
]
ROOT, WORK, EXPERIMENTS = PLAN.publish_prefix, PLAN.work_folder, list(PLAN.experiments)
LATEX = shutil.which("latexmk")


wildcard_constraints:
    experiment="|".join(EXPERIMENTS),
    batch="[0-9a-f]{12}",


include: "workflow/rules/experiments.smk"
include: "workflow/rules/conclusions.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/before_and_after.smk"


# seconds each: on a cluster they run where snakemake was called
localrules:
    calibrate,
    collect,
    conclude,
    draw,
    record,
    typeset,
    walk_through,
    write_report,


rule all:
    default_target: True
    input:
        expand(
            f"{ROOT}figures/{{experiment}}.{{ending}}",
            experiment=EXPERIMENTS,
            ending=["pdf", "png", "csv"],
        ),
        # asked for by name: a figure that is there may be older than its results, and these be damaged
        expand("results/batches/{batch}.done", batch=PLAN.missing),
        [f"{PLAN.collected(experiment)}/numbers.csv" for experiment in EXPERIMENTS],
        f"{ROOT}figures/platform.json",
        f"{ROOT}CLAIMS.md",
        f"{ROOT}report.html",
        f"{WORK}/notebook/explore.html",
        [f"{ROOT}paper/main.pdf"] if LATEX else [],
