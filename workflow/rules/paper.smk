rule copy_paper:
    input:
        "paper/{file}.tex",
    output:
        f"{WORK}/paper/{{file}}.tex",
    log:
        f"{WORK}/logs/copy_{{file}}.log",
    wildcard_constraints:
        file="main",
    conda:
        "../../environment.yml"
    message:
        "Copying paper/{wildcards.file}.tex"
    shell:
        "(cp {input} {output}.part && mv {output}.part {output}) 2> {log}"


rule typeset:
    input:
        f"{ROOT}paper/main.tex",
        f"{ROOT}paper/values.tex",
        expand(f"{ROOT}paper/tables/{{table}}.tex", table=[*TABLES, *PLAN.names]),
        figures=expand(f"{ROOT}figures/{{experiment}}.pdf", experiment=PLAN.names),
        race="benchmarks/race.pdf",
    output:
        f"{ROOT}paper/main.pdf",
    log:
        f"{WORK}/logs/latex.log",
    conda:
        "../../environment.yml"
    params:
        folder=lambda wildcards, output: str(Path(output[0]).parent),
    message:
        "Typesetting the paper"
    # what a typesetting that was killed left in build/ may be cut short
    shell:
        "root=$PWD; cd {params.folder} && rm -rf build && TEXINPUTS=.:$root/benchmarks:"
        " SOURCE_DATE_EPOCH=0 FORCE_SOURCE_DATE=1 latexmk -pdf -interaction=nonstopmode -halt-on-error -outdir=build main.tex"
        ' > "$root/{log}" 2>&1 && mv build/main.pdf main.pdf'
