# Fit the roofline to published measurements, judge it on others, and publish both.
rule calibrate:
    input:
        conf=CONF,
        measurements=MEASUREMENTS,
    output:
        expand(
            f"{ROOT}figures/{{name}}.{{ending}}",
            name=CALIBRATION_FIGURES,
            ending=["csv", "pdf", "png"],
        ),
        expand(f"{ROOT}figures/{{table}}.csv", table=TABLES_ALONE),
        expand(f"{ROOT}paper/tables/{{table}}.tex", table=CALIBRATION_TABLES),
        expand(f"{WORK}/report/{{table}}.json", table=CALIBRATION_TABLES),
    log:
        f"{WORK}/logs/calibrate.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint(
            "edgebatch_artifact.calibration.calibrate",
            "edgebatch_artifact.publish.measured.calibration_figure",
            "edgebatch_artifact.publish.measured.calibration_tables",
        ),
        files=[*CONF, *MEASUREMENTS],
        work=WORK,
        root=ROOT or ".",
        engine=ENGINE,
    message:
        "Calibrating the roofline"
    shell:
        "python -m edgebatch_artifact.steps calibrate {params.work} {params.root} {params.engine} > {log} 2>&1"


# Decide the claims; set the tables that no experiment owns, and every number of the paper's prose.
rule conclude:
    input:
        samples=[f"{PLAN.collected(name)}/samples.csv" for name in EXPERIMENTS],
        numbers=expand(f"{ROOT}figures/{{experiment}}.csv", experiment=EXPERIMENTS),
        calibration=expand(f"{ROOT}figures/{{table}}.csv", table=CALIBRATION_TABLES),
        conf=CONF,
        benchmarks=["benchmarks/costs.json", "benchmarks/race.json"],
    output:
        f"{ROOT}CLAIMS.md",
        f"{ROOT}ASSUMPTIONS.md",
        f"{ROOT}paper/values.tex",
        expand(f"{ROOT}paper/tables/{{table}}.tex", table=PAPER_TABLES),
        expand(f"{WORK}/report/{{table}}.json", table=PAPER_TABLES),
    log:
        f"{WORK}/logs/conclude.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.publish.conclude"),
        conf=CONF,
    message:
        "Deciding the claims"
    shell:
        f"python -m edgebatch_artifact.steps conclude {WORK} {ROOT or '.'} > {{log}} 2>&1"


# Execute the notebook, which looks at one epoch by hand and draws a figure again.
rule walk_through:
    input:
        notebook="notebooks/explore.ipynb",
        numbers=expand(f"{ROOT}figures/{{experiment}}.csv", experiment=EXPERIMENTS),
    output:
        f"{WORK}/notebook/explore.html",
    log:
        f"{WORK}/logs/notebook.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint(
            "edgebatch_artifact.publish.figures",
            "edgebatch.simulation",
            "edgebatch.schedulers.dftsp",
        ),
        experiments=EXPERIMENTS,
    message:
        "Executing notebooks/explore.ipynb"
    shell:
        "python -m edgebatch_artifact.steps walk_through {input.notebook} {output}"
        f" {WORK} {ROOT}figures"
        " > {log} 2>&1"
