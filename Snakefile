# The paper, from configuration to PDF. Run it with: snakemake --cores 8
import shutil
import sys
from pathlib import Path

from snakemake.utils import min_version

from edgebatch_artifact.runs import run_lock
from edgebatch_artifact.storage.files import check_room
from edgebatch_artifact.storage.fingerprint import fingerprint
from edgebatch_artifact.runs.plan import make_plan, read_options, store
from edgebatch.errors import InputError

min_version("9.0")
# one thread a job: idle threads of the linear algebra would cost each job more than its own imports
shell.prefix('export PYTHONPATH="$PWD/src" OPENBLAS_NUM_THREADS=1; ')

# a dry run changes nothing, and the jobs of a run on other machines are covered by its own lock
RUNS = workflow.is_main_process and not workflow.output_settings.dryrun

try:
    OPTIONS = read_options(config)
    if RUNS:
        check_room(Path("."))
        run_lock.take()
    PLAN = make_plan(
        Path("conf"), Path("results"), OPTIONS.scale, OPTIONS.most_settings
    )
    # jobs on other machines read this file as well, and must not undo what their neighbours write
    if workflow.is_main_process:
        store(PLAN, Path("results"))
except (InputError, OSError) as error:
    sys.exit(f"artifact: {error}")

ROOT, WORK = PLAN.root, PLAN.work
LATEX = shutil.which("latexmk")


wildcard_constraints:
    experiment="|".join(PLAN.names),
    batch="[0-9a-f]{12}",


include: "workflow/rules/experiments.smk"
include: "workflow/rules/conclusions.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/paper.smk"


# seconds each: on a cluster they run where snakemake was called
localrules:
    collect,
    conclude,
    copy_paper,
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
            experiment=PLAN.names,
            ending=["pdf", "png", "csv"],
        ),
        f"{ROOT}figures/platform.json",
        f"{ROOT}CLAIMS.md",
        f"{ROOT}report.html",
        f"{WORK}/notebook/explore.html",
        [f"{ROOT}paper/main.pdf"] if LATEX else [],


include: "workflow/rules/before_and_after.smk"
