# From settings to results, and from results to figures. What the plan holds of an experiment lies in
# {WORK}/experiments/; it is written before jobs start, so that no rule makes it.


# Simulate the settings of a batch that have no result; only unfinished batches are jobs.
rule simulate:
    output:
        touch("results/batches/{batch}.done"),
    log:
        "results/logs/simulate/{batch}.log",
    conda:
        "../../environment.yml"
    params:
        experiment=lambda wildcards: PLAN.file(wildcards.batch),
        ids=lambda wildcards: [run.id for run in PLAN.batches[wildcards.batch].runs],
        title=lambda wildcards: PLAN.title(wildcards.batch),
    message:
        "Simulating {params.title}"
    shell:
        "python -m edgebatch_artifact.steps simulate {params.experiment} {params.ids} > {log}"


# Gather the results of an experiment, in a folder that is named by all that they depend on.
rule collect:
    input:
        claims="conf/claims.yaml",
        unfinished=lambda wildcards: expand(
            "results/batches/{batch}.done", batch=PLAN.unfinished(wildcards.experiment)
        ),
    output:
        samples=f"{WORK}/collected/{{experiment}}/{{digest}}/samples.csv",
        numbers=f"{WORK}/collected/{{experiment}}/{{digest}}/numbers.csv",
    log:
        f"{WORK}/logs/collect/{{experiment}}-{{digest}}.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.analysis.collect"),
        experiment=lambda wildcards: f"{WORK}/experiments/{wildcards.experiment}.json",
    message:
        "Collecting the results of {wildcards.experiment}"
    shell:
        "python -m edgebatch_artifact.steps collect {params.experiment} {output} > {log} 2>&1"


# Publish what the figure of an experiment shows, draw it, and set its table.
rule draw:
    input:
        lambda wildcards: f"{PLAN.collected(wildcards.experiment)}/numbers.csv",
    output:
        csv=f"{ROOT}figures/{{experiment}}.csv",
        pdf=f"{ROOT}figures/{{experiment}}.pdf",
        png=f"{ROOT}figures/{{experiment}}.png",
        tex=f"{ROOT}paper/tables/{{experiment}}.tex",
        table=f"{WORK}/report/{{experiment}}.json",
    log:
        f"{WORK}/logs/draw/{{experiment}}.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint(
            "edgebatch_artifact.publish.figures",
            "edgebatch_artifact.publish.experiment_table",
        ),
        content=lambda wildcards: PLAN.experiments[wildcards.experiment].digest(),
        experiment=lambda wildcards: f"{WORK}/experiments/{wildcards.experiment}.json",
    message:
        "Drawing {wildcards.experiment}"
    shell:
        "python -m edgebatch_artifact.steps draw {params.experiment} {input} {output} > {log} 2>&1"


# Write where the figures were made, unless the file says already where these very bytes were made.
rule record:
    input:
        expand(
            f"{ROOT}figures/{{experiment}}.{{ending}}",
            experiment=EXPERIMENTS,
            ending=["csv", "pdf", "png"],
        ),
        expand(
            f"{ROOT}figures/{{name}}.{{ending}}",
            name=CALIBRATION_FIGURES,
            ending=["csv", "pdf", "png"],
        ),
        expand(f"{ROOT}figures/{{table}}.csv", table=TABLES_ALONE),
    output:
        update(f"{ROOT}figures/platform.json"),
    log:
        f"{WORK}/logs/record.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.verify.platform_record"),
        experiments=EXPERIMENTS,
    message:
        "Recording where the figures were made"
    shell:
        "python -m edgebatch_artifact.steps record {output} {input} > {log} 2>&1"
