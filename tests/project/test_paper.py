"""No number is typed into the paper."""

import re

import pytest

from edgebatch_artifact.settings.experiments.experiment_file import PAPER_TABLES
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_TABLES
from tests.workflow.checkout import ROOT

PAPER = ROOT / "paper/main.tex"

MATH = r"equation|align|gather|multline|eqnarray|displaymath|math|cases|array"
NAMED = r"ref|eqref|pageref|cite|val|input|include|includegraphics|label|url|href|usepackage|documentclass"
LENGTHS = r"vspace|hspace|setlength|rule|setcounter|addtolength|resizebox|scalebox"
NAME = re.compile(
    r"\b(?:BLOOM|OPT|LLaMA|SmolLM2)-\d+(?:\.\d+)?[BM]?\b"  # models
    r"|\bQ\d\\_\d\b"  # formats of llama.cpp
    r"|\barXiv[:~ ]\d{4}\.\d{5}"
    r"|\b(?=[A-Za-z0-9]*\d)[A-Za-z][A-Za-z0-9]*\b"  # W8A16, FP16, H100, TX2, C1
    r"|\bWikiText-2\b"
)


def _prose(text):
    """The words of a LaTeX document that a reader sees, without mathematics and names."""
    text = re.sub(r"(?<!\\)%.*", "", text)
    text = text.partition(r"\begin{document}")[2].partition(r"\end{document}")[0]
    text = re.sub(r"\\begin\{thebibliography\}.*?\\end\{thebibliography\}", "", text, flags=re.S)
    text = re.sub(rf"\\begin\{{({MATH})(\*?)\}}.*?\\end\{{\1\2\}}", "", text, flags=re.S)
    text = re.sub(r"\\\[.*?\\\]", "", text, flags=re.S)
    text = re.sub(r"\\\(.*?\\\)", "", text, flags=re.S)
    text = re.sub(r"(?<!\\)\$\$?.*?(?<!\\)\$\$?", "", text, flags=re.S)
    text = re.sub(rf"\\(?:{NAMED}|{LENGTHS})\*?\s*(?:\[[^\]]*\])?\s*(?:\{{[^{{}}]*\}})+", "", text)
    text = re.sub(r"\\begin\{\w+\*?\}(?:\[[^\]]*\])?(?:\{[^{}]*\})?", "", text)
    text = re.sub(r"\\\\\[[^\]]*\]|\\(?:width|height|hskip|vskip)\S*", "", text)
    return NAME.sub("", text)


def test_no_digit_is_typed_into_the_prose():
    lines = [line.strip() for line in _prose(PAPER.read_text(encoding="utf-8")).splitlines()]
    assert [line for line in lines if re.search(r"\d", line)] == []


@pytest.mark.parametrize(
    ("latex", "seen"),
    [
        ("It serves 12.5 more. % 7", "12.5"),
        (r"\emph{3 times} \val{a/1/b}", "3"),
        (r"saves 45\,\% of 10 nodes $x_1$", "4510"),
        (r"\section{Part 2}\label{sec:2}", "2"),
        (r"\begin{table}[t]\caption{4 models}\input{tables/a1}\end{table}", "4"),
        (r"BLOOM-3B and OPT-6.7B in W8A16 on 20 TX2", "20"),
        (r"\begin{equation*}x=1\end{equation*} \[2\] \cite{a1} Fig.~\ref{fig:1}", ""),
    ],
)
def test_digits_are_found_in_prose_alone(latex, seen):
    document = rf"\usepackage[T1]{{x}}\begin{{document}}{latex}\n\end{{document}}"
    assert "".join(re.findall(r"[\d.]*\d", _prose(document.replace(r"\n", "\n")))) == seen


def test_every_value_that_the_paper_uses_is_defined():
    used = set(
        re.findall(r"\\val\{([^{}#]+)\}", re.sub(r"(?<!\\)%.*", "", PAPER.read_text(encoding="utf-8")))
    )
    defined = set(re.findall(r"\\defval\{([^}]*)\}", (ROOT / "paper/values.tex").read_text(encoding="utf-8")))
    assert used
    assert used - defined == set()


def test_every_citation_and_reference_has_its_target():
    text = re.sub(r"(?<!\\)%.*", "", PAPER.read_text(encoding="utf-8"))
    cited = {key.strip() for keys in re.findall(r"\\cite\{([^}]*)\}", text) for key in keys.split(",")}
    entries = re.findall(r"\\bibitem\{([^}]*)\}", text)
    assert cited == set(entries)
    assert len(entries) == len(set(entries))
    labels = set(re.findall(r"\\label\{([^}#]*)\}", text))
    tables = {f"tab:{name}" for name in re.findall(r"\\input\{tables/([^}]*)\}", text)}
    algorithms = set(re.findall(r"\\algtitle\{([^}#]*)\}", text))
    assert set(re.findall(r"\\(?:eq)?ref\{([^}#]*)\}", text)) <= labels | tables | algorithms


def test_every_figure_and_table_of_the_paper_is_one_that_the_pipeline_makes():
    text = PAPER.read_text(encoding="utf-8")
    experiments = {path.stem for path in (ROOT / "conf/experiment").glob("*.yaml")} | {*CALIBRATION_TABLES}
    assert set(re.findall(r"\{\.\./figures/(\w+)\.pdf\}", text)) <= experiments
    made = experiments | {*PAPER_TABLES}
    assert set(re.findall(r"\\input\{tables/([^}]*)\}", text)) <= made
