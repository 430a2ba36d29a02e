TABLES = ["claims", "models", "quantization", "assumptions"]


rule conclude:
    input:
        data=expand(f"{WORK}/experiments/{{experiment}}.json", experiment=PLAN.names),
        samples=expand(f"{WORK}/samples/{{experiment}}.csv", experiment=PLAN.names),
        points=expand(f"{ROOT}figures/{{experiment}}.csv", experiment=PLAN.names),
        conf=sorted(str(path) for path in Path("conf").rglob("*.yaml")),
        benchmarks=["benchmarks/costs.json", "benchmarks/race.json"],
    output:
        f"{ROOT}CLAIMS.md",
        f"{ROOT}ASSUMPTIONS.md",
        f"{ROOT}paper/values.tex",
        expand(f"{ROOT}paper/tables/{{table}}.tex", table=TABLES),
        expand(f"{WORK}/report/{{table}}.json", table=TABLES),
    log:
        f"{WORK}/logs/conclude.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.publish.conclude"),
        work=lambda wildcards: WORK,
        out=ROOT or ".",
    message:
        "Deciding the claims"
    shell:
        "python -m edgebatch_artifact.cli conclude --work {params.work} --figures {params.out}/figures"
        " --report {params.work}/report --out {params.out} > {log} 2>&1"


rule walk_through:
    input:
        notebook="notebooks/explore.ipynb",
        points=expand(f"{ROOT}figures/{{experiment}}.csv", experiment=PLAN.names),
    output:
        f"{WORK}/notebook/explore.html",
    log:
        f"{WORK}/logs/notebook.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint(
            "edgebatch_artifact.publish.figures", "edgebatch.simulation", "edgebatch.schedulers.dftsp"
        ),
        folder=lambda wildcards, output: str(Path(output[0]).parent),
        work=lambda wildcards: WORK,
        figures=lambda wildcards, input: str(Path(input.points[0]).parent),
    message:
        "Executing notebooks/explore.ipynb"
    shell:
        "EDGEBATCH_WORK={params.work} EDGEBATCH_FIGURES={params.figures}"
        " jupyter nbconvert --execute --to html --output-dir {params.folder}/build {input.notebook} > {log} 2>&1"
        " && mv {params.folder}/build/explore.html {output}"
