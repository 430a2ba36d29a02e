rule write_report:
    input:
        data=expand(f"{WORK}/experiments/{{experiment}}.json", experiment=PLAN.names),
        pictures=expand(f"{ROOT}figures/{{experiment}}.png", experiment=PLAN.names),
        tables=expand(f"{WORK}/report/{{table}}.json", table=[*TABLES, *PLAN.names]),
        race="benchmarks/race.png",
        layout=expand("workflow/report/{file}", file=["page.html", "style.css"]),
    output:
        f"{ROOT}report.html",
    log:
        f"{WORK}/logs/report.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.publish.report"),
        work=lambda wildcards: WORK,
        figures=lambda wildcards, input: str(Path(input.pictures[0]).parent),
        scale=lambda wildcards: OPTIONS.scale,
    message:
        "Writing the report"
    shell:
        "python -m edgebatch_artifact.cli report --work {params.work} --figures {params.figures}"
        " --scale {params.scale} --out {output} > {log} 2>&1"
