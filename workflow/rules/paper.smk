# Typeset the paper, where there is latexmk.
rule typeset:
    input:
        f"{ROOT}paper/values.tex",
        expand(
            f"{ROOT}paper/tables/{{table}}.tex",
            table=[*PAPER_TABLES, *CALIBRATION_TABLES, *EXPERIMENTS],
        ),
        source="paper/main.tex",
        figures=expand(f"{ROOT}figures/{{experiment}}.pdf", experiment=EXPERIMENTS),
        calibration=expand(f"{ROOT}figures/{{name}}.pdf", name=CALIBRATION_FIGURES),
        race="benchmarks/race.pdf",
    output:
        f"{ROOT}paper/main.pdf",
    log:
        f"{WORK}/logs/latex.log",
    conda:
        "../../environment.yml"
    params:
        code=fingerprint("edgebatch_artifact.publish.programs"),
        experiments=EXPERIMENTS,
    message:
        "Typesetting the paper"
    shell:
        "python -m edgebatch_artifact.steps typeset {input.source} {output} > {log} 2>&1"
