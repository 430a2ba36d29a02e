# Before a run: what was edited or cut short since the last one is made again.
# After it: what it made is remembered, and what failed is told.
import atexit
import logging

from edgebatch_artifact.runs import failures
from edgebatch_artifact.runs import made_files
from edgebatch_artifact.storage.files import remove_leftovers

MADE = [
    *expand([*rules.collect.output, *rules.draw.output], experiment=PLAN.names),
    *rules.conclude.output,
    *rules.walk_through.output,
    *rules.typeset.output,
    *rules.record.output,
    *rules.write_report.output,
]
LEDGER = Path(WORK) / "made/digests.json"


def tell_of_full_disk():
    """Say it last: where Snakemake itself finds no room, it tells of permissions."""
    try:
        check_room(Path("."))
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)


def remember_made():
    """Store what is known of the files; to be without it costs no more than a check."""
    try:
        made_files.remember(MADE, LEDGER)
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)


if RUNS:
    remove_leftovers(Path("results"), {Path(file).parent for file in MADE})
    CHANGED = made_files.changed(MADE, LEDGER)
    for file in CHANGED:
        told = f"artifact: {file}: not as the last run left it; making it again"
        print(told, file=sys.stderr)
    # of a damaged result the job itself tells
    DAMAGED = [f"results/batches/{name}.done" for name in PLAN.damaged()]
    made_files.make_again([*CHANGED, *DAMAGED])
    atexit.register(tell_of_full_disk)
    # else Snakemake's log tells of each line that finds no room, in fifty
    logging.raiseExceptions = False


onsuccess:
    remember_made()
    if not LATEX:
        print(
            "No PDF: latexmk is missing. Debian: apt-get install latexmk texlive-latex-recommended",
            end=" ",
        )
        print("texlive-publishers texlive-fonts-recommended")


onerror:
    failed = failures.of_jobs(workflow.scheduler.failed, PLAN.batches)
    print(failures.summary(failed), file=sys.stderr)
    remember_made()
