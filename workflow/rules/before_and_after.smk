# Before a run: what was edited or cut short since the last one is made again.
# After it: what it made is remembered, and what failed is told.
from artifact import failures, made_files
from artifact.files import remove_leftovers

MADE = [
    *expand([*rules.collect.output, *rules.draw.output], experiment=PLAN.names),
    *rules.conclude.output,
    *rules.walk_through.output,
    *rules.typeset.output,
]
LEDGER = Path(WORK) / "made.json"

if RUNS:
    remove_leftovers(Path("results"), {Path(file).parent for file in MADE})
    CHANGED = made_files.changed(MADE, LEDGER)
    for file in CHANGED:
        told = f"artifact: {file}: not as the last run left it; making it again"
        print(told, file=sys.stderr)
    # of a damaged result the job itself tells
    DAMAGED = [f"results/batches/{name}.done" for name in PLAN.damaged()]
    made_files.make_again([*CHANGED, *DAMAGED])


onsuccess:
    made_files.remember(MADE, LEDGER)
    if not LATEX:
        print(
            "No PDF: latexmk is missing. Debian: apt-get install latexmk texlive-latex-recommended",
            end=" ",
        )
        print("texlive-publishers texlive-fonts-recommended")


onerror:
    made_files.remember(MADE, LEDGER)
    print(
        failures.summary(failures.of_jobs(workflow.scheduler.failed, PLAN.batches))
    )
