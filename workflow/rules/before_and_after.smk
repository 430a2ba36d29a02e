# Before jobs start, the folder is held and the plan is written, which all jobs read. Not in a dry run.
import atexit

# what is held stays here for as long as this process lives
HELD = []


def report_full_disk():
    """Say it last: where Snakemake itself finds no room, it speaks of permissions."""
    try:
        check_room(Path("."))
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)


onstart:
    try:
        HELD.append(hold_folder(RESULTS))
        atexit.register(report_full_disk)
        remove_leftovers(
            RESULTS, map(Path, [f"{ROOT}figures", f"{ROOT}paper/tables"])
        )
        store_grid(PLAN.grid, Path(WORK))
    except InputError as error:
        sys.exit(f"artifact: {error}")


onsuccess:
    shutil.rmtree(RESULTS / "batches", ignore_errors=True)
    if not LATEX:
        print(
            "No PDF: latexmk is missing. Debian: apt-get install latexmk texlive-latex-recommended"
            " texlive-publishers texlive-fonts-recommended"
        )


onerror:
    shutil.rmtree(RESULTS / "batches", ignore_errors=True)
    print(
        failures(PLAN, RESULTS, RESULTS / "logs/simulate"), end="", file=sys.stderr
    )
