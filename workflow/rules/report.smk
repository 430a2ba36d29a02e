# Put claims, figures, tables and assumptions on one page that needs no other file.
rule write_report:
    input:
        pictures=expand(f"{ROOT}figures/{{experiment}}.png", experiment=EXPERIMENTS),
        tables=expand(
            f"{WORK}/report/{{table}}.json",
            table=[*PAPER_TABLES, *CALIBRATION_TABLES, *EXPERIMENTS],
        ),
        calibration=expand(f"{ROOT}figures/{{name}}.png", name=CALIBRATION_FIGURES),
        race="benchmarks/race.png",
        files=expand("workflow/report/{file}", file=["page.html", "style.css"]),
    output:
        f"{ROOT}report.html",
    log:
        f"{WORK}/logs/report.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.publish.report"),
        experiments=EXPERIMENTS,
    message:
        "Writing the report"
    shell:
        f"python -m edgebatch_artifact.steps report {WORK} {ROOT or '.'} workflow/report {OPTIONS.scale}"
        " > {log} 2>&1"
