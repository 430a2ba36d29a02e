rule simulate:
    output:
        "results/batches/{batch}.done",
    log:
        "results/logs/simulate/{batch}.log",
    conda:
        "../../environment.yml"
    params:
        experiments=f"{WORK}/experiments",
    message:
        "{PLAN:{wildcards.batch}}"
    shell:
        "python -m edgebatch_artifact.runs.batch results/batches/{wildcards.batch}.json {output}"
        " --experiments {params.experiments} > {log}"


rule collect:
    input:
        data=f"{WORK}/experiments/{{experiment}}.json",
        claims="conf/claims.yaml",
        runs=lambda wildcards: expand(
            "results/batches/{batch}.done", batch=PLAN.needs(wildcards.experiment)
        ),
    output:
        samples=f"{WORK}/samples/{{experiment}}.csv",
        points=f"{ROOT}figures/{{experiment}}.csv",
    log:
        f"{WORK}/logs/collect/{{experiment}}.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.analysis.collect"),
    message:
        "Collecting the results of {wildcards.experiment}"
    shell:
        "python -m edgebatch_artifact.cli collect {input.data} --samples {output.samples} --points {output.points} > {log} 2>&1"


rule draw:
    input:
        data=f"{WORK}/experiments/{{experiment}}.json",
        points=f"{ROOT}figures/{{experiment}}.csv",
    output:
        pdf=f"{ROOT}figures/{{experiment}}.pdf",
        png=f"{ROOT}figures/{{experiment}}.png",
        tex=f"{ROOT}paper/tables/{{experiment}}.tex",
        table=f"{WORK}/report/{{experiment}}.json",
    log:
        f"{WORK}/logs/draw/{{experiment}}.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.publish.figures", "edgebatch_artifact.publish.tables"),
    message:
        "Drawing {wildcards.experiment}"
    shell:
        "python -m edgebatch_artifact.cli draw {input.data} {input.points} {output} > {log} 2>&1"


rule record:
    input:
        expand(
            f"{ROOT}figures/{{experiment}}.{{ending}}",
            experiment=PLAN.names,
            ending=["csv", "pdf", "png"],
        ),
    output:
        # updated: on another platform that makes the same bytes it stays as it is
        update(f"{ROOT}figures/platform.json"),
    log:
        f"{WORK}/logs/record.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.verify.platform_record"),
    message:
        "Recording where the figures were made"
    shell:
        "python -m edgebatch_artifact.cli record {output} {input} > {log} 2>&1"
