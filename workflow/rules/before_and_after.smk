# Before jobs start, the folder is held and the plan is written, which all jobs read. Not in a dry run.
# What is held stays here for as long as this process lives.
HELD = []


onstart:
    try:
        HELD.append(hold_folder(RESULTS))
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
    try:
        check_room(Path("."))
    except InputError as error:
        print(f"artifact: {error}", file=sys.stderr)
